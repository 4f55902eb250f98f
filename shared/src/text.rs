//! What every parsed text noun shares: it shows itself, compares as its text, and travels through serde as that text,
//! checked again on the way in. Must not hold a rule of any one noun.

/// Gives a `struct Noun(String)` with a `parse` constructor the traits of a text noun, and says to who reads the documented
/// APIs what its texts are like: the pattern is the grammar that `parse` holds.
macro_rules! text_noun {
    ($noun:ident, at most $length:expr, like $pattern:literal, as $example:literal, says $about:literal) => {
        impl utoipa::PartialSchema for $noun {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($about))
                    .pattern(Some($pattern))
                    .max_length(Some($length))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $noun {}

        impl $noun {
            /// The text, exactly as it was parsed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $noun {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $noun {
            type Err = <Self as TryFrom<String>>::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        // Sound because equality, order and hash are derived from the text alone.
        impl std::borrow::Borrow<str> for $noun {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$noun> for String {
            fn from(noun: $noun) -> Self {
                noun.0
            }
        }
    };
}

pub(crate) use text_noun;
