//! What is wrong with the content of a request: where, which rule, and what to do. Must not know any one rule.

use std::fmt;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON pointer into the body (RFC 6901), empty for all of it; or the name of a parameter.
    pub at: At,
    /// Which rule, for programs. Codes never change.
    pub code: &'static str,
    /// What to do, for people.
    pub detail: String,
}

/// The place of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// In the body.
    Pointer(String),
    /// In the query.
    Parameter(String),
}

impl Fault {
    /// A fault of what `pointer` leads to in the body.
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl fmt::Display) -> Self {
        Self { at: At::Pointer(pointer.into()), code, detail: detail.to_string() }
    }

    /// A fault of a parameter of the query.
    pub fn of_parameter(name: impl Into<String>, code: &'static str, detail: impl fmt::Display) -> Self {
        Self { at: At::Parameter(name.into()), code, detail: detail.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// Both values, or the faults of both.
pub fn both<A, B>(one: Result<A, Fault>, other: Result<B, Fault>) -> Result<(A, B), Vec<Fault>> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err(one.err().into_iter().chain(other.err()).collect()),
    }
}

/// Nothing, or the faults of all of them.
pub fn all<const N: usize>(checks: [Result<(), Fault>; N]) -> Result<(), Vec<Fault>> {
    let faults: Vec<_> = checks.into_iter().filter_map(Result::err).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
