//! Settings from the environment: empty means unset, every secret has a `*_FILE` twin, and a misspelt name is noticed.
//!
//! Must not know which settings there are: each service's `config.rs` does.

use anyhow::Context;
use shared::Networks;
use std::collections::BTreeMap;

/// The variables this process was started with, and what a settings file adds to them.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, Setting>,
}

/// A value, and where it came from if that is not the variable itself. Never printed: it may be a secret.
#[derive(Clone)]
struct Setting {
    value: String,
    origin: Option<String>,
    is_of_file: bool,
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.origin.as_deref().unwrap_or("set"))
    }
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        std::env::vars().collect()
    }

    /// The variable's value, unless it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|setting| setting.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first variable whose name begins with `prefix`, empty or not: what was meant to be set counts where a
    /// forgotten value must not open a door.
    pub fn mention(&self, prefix: &str) -> Option<&str> {
        self.variables.keys().map(String::as_str).find(|name| name.starts_with(prefix))
    }

    /// Sets `name`, whatever it was.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), Setting { value: value.into(), origin: None, is_of_file: false });
    }

    /// Sets what is unset: a default that a flag or an enclosing program gives.
    pub fn or_set(&mut self, name: &str, value: impl Into<String>) {
        if self.get(name).is_none() {
            self.set(name, value);
        }
    }

    /// Adds a setting of a file, or one that stands within a variable, unless a variable of its own sets it.
    pub(crate) fn add(&mut self, name: String, value: String, origin: String, is_of_file: bool) {
        if self.get(&name).is_none() {
            self.variables.insert(name, Setting { value, origin: Some(origin), is_of_file });
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// The variable parsed, or an error that names it.
    pub fn parse<T: std::str::FromStr>(&self, name: &str) -> anyhow::Result<Option<T>>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        self.get(name)
            .map(|value| value.parse().with_context(|| format!("{}={value:?} cannot be used", self.origin(name))))
            .transpose()
    }

    /// A switch: `true` or `false`, in the words that YAML and shells have for them.
    pub fn flag(&self, name: &str, default: bool) -> anyhow::Result<bool> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => anyhow::bail!("{}={value:?} cannot be used: say true or false", self.origin(name)),
        }
    }

    /// Ranges of addresses, with commas between them; none if nothing begins with `name`. What is empty or misspelt is
    /// refused: it would let in everybody by mistake.
    pub fn networks(&self, name: &str) -> anyhow::Result<Networks> {
        let Some(mentioned) = self.mention(name) else { return Ok(Networks::default()) };
        let text = self.get(name).unwrap_or_default();
        let networks = text.parse().ok().filter(|networks: &Networks| !networks.is_empty());
        networks.with_context(|| {
            let origin = self.origin(if self.variables.contains_key(name) { name } else { mentioned });
            format!("{origin} cannot be used: {name} is address ranges, as 10.0.0.0/8,fd00::/8, and not {text:?}")
        })
    }

    /// How a person finds the setting `name`: by the variable, or by its place in the settings file.
    pub fn origin<'a>(&'a self, name: &'a str) -> &'a str {
        self.variables.get(name).and_then(|setting| setting.origin.as_deref()).unwrap_or(name)
    }

    /// A secret: from `name` itself, or from the file that `name_FILE` names, without its last line break. A file with nothing
    /// in it is refused: it was meant to hold one.
    ///
    /// One of the two that a variable sets wins over the other in a settings file.
    pub fn secret(&self, name: &str) -> anyhow::Result<Option<String>> {
        let twin = format!("{name}_FILE");
        let is_variable = |name: &str| self.variables.get(name).is_some_and(|setting| !setting.is_of_file);
        match (self.get(name), self.get(&twin)) {
            (Some(_), Some(_)) if is_variable(name) == is_variable(&twin) => {
                anyhow::bail!("{name} and {twin} are both set: keep one")
            }
            (Some(value), path) if path.is_none() || is_variable(name) => Ok(Some(value.to_owned())),
            (_, Some(path)) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("{twin}: cannot read {path}"))?;
                anyhow::ensure!(!text.trim().is_empty(), "{twin}: {path} is empty");
                Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            (_, None) => Ok(None),
        }
    }

    /// One warning for each variable that begins with `prefix` and is none of `known`, with the nearest known name.
    pub fn warn_about_unknown(&self, prefix: &str, known: &[&str]) {
        for warning in self.unknown(prefix, known) {
            tracing::warn!("{warning}");
        }
    }

    /// An error instead, for settings that forbid something: one that is misspelt is not ignored, nor a key without a value
    /// in a map or a file. A variable that is left empty is unset, as everywhere.
    pub fn refuse_unknown(&self, prefix: &str, known: &[&str]) -> anyhow::Result<()> {
        for (name, value) in self.below(prefix) {
            let (nearest, origin) = (nearest(name, known), self.origin(name));
            anyhow::ensure!(
                known.contains(&name) && (!value.is_empty() || origin == name),
                "{origin} says nothing that is understood; set {nearest}, or take it away"
            );
        }
        Ok(())
    }

    fn unknown(&self, prefix: &str, known: &[&str]) -> Vec<String> {
        let unknown = self.below(prefix).filter(|(name, _)| !known.contains(name));
        let warning = |(name, _)| {
            let nearest = nearest(name, known);
            format!("{} is not a setting and is ignored; the nearest one is {nearest}", self.origin(name))
        };
        unknown.map(warning).collect()
    }

    /// The variables whose names begin with `prefix`, in their order, with their values.
    pub(crate) fn below(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let all = self.variables.iter().map(|(name, setting)| (name.as_str(), setting.value.as_str()));
        all.filter(move |(name, _)| name.starts_with(prefix))
    }
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    known.iter().min_by_key(|known| strsim::levenshtein(known, name)).copied().unwrap_or_default()
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let setting = |(name, value)| (name, Setting { value, origin: None, is_of_file: false });
        Self { variables: variables.into_iter().map(setting).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_empty_variable_is_unset() {
        assert_eq!(environment(&[("A", "")]).get("A"), None);
    }

    #[test]
    fn an_empty_variable_is_still_mentioned() {
        assert_eq!(environment(&[("A_B", "")]).mention("A_"), Some("A_B"));
    }

    #[test]
    fn a_switch_is_one_of_the_words_for_it() {
        let flag = |value| environment(&[("F", value)]).flag("F", true);
        assert!(!flag("False").unwrap() && flag("yes").unwrap() && flag("").unwrap());
        assert_eq!(flag("maybe").unwrap_err().to_string(), "F=\"maybe\" cannot be used: say true or false");
    }

    #[test]
    fn a_value_that_does_not_parse_is_named() {
        let error = environment(&[("PORT", "many")]).parse::<u16>("PORT").unwrap_err();
        assert_eq!(error.to_string(), "PORT=\"many\" cannot be used");
    }

    #[test]
    fn a_secret_given_twice_is_refused() {
        assert!(environment(&[("S", "x"), ("S_FILE", "/y")]).secret("S").is_err());
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_known_one() {
        let warnings = environment(&[("INDEX_PUBLIC_ULR", "x"), ("INDEX_PASSWORD_FILE", "y"), ("OTHER", "z")])
            .unknown("INDEX_", &["INDEX_PUBLIC_URL", "INDEX_PASSWORD_FILE"]);
        assert_eq!(warnings, ["INDEX_PUBLIC_ULR is not a setting and is ignored; the nearest one is INDEX_PUBLIC_URL"]);
    }

    #[test]
    fn ranges_that_are_misspelt_do_not_let_everybody_in() {
        assert!(environment(&[("OTHER", "x")]).networks("ALLOW").unwrap().is_empty());
        assert_eq!(environment(&[("ALLOW", "10.0.0.0/8")]).networks("ALLOW").unwrap().to_string(), "10.0.0.0/8");
        for name in ["ALLOW_FILE", "ALLOWED", "ALLOW_0_0", "ALLOW"] {
            let error = environment(&[(name, "")]).networks("ALLOW").unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} cannot be used: ALLOW is address ranges")), "{error}");
        }
    }

    #[test]
    fn a_variable_wins_over_the_twin_in_a_settings_file() {
        let mut given = environment(&[("S", "of the variable")]);
        given.add("S_FILE".into(), "/nowhere".into(), "s.file".into(), true);
        assert_eq!(given.secret("S").unwrap().as_deref(), Some("of the variable"));
        let mut twins = Environment::default();
        for name in ["S", "S_FILE"] {
            twins.add(name.into(), "x".into(), name.to_lowercase(), true);
        }
        assert!(twins.secret("S").is_err());
    }
}
