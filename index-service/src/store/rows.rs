//! Between columns and nouns: times as microseconds, words and names parsed again on the way out.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Row};
use std::str::FromStr;

/// A time as a column holds it.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A size or number as a column holds it. No real one is beyond the largest BIGINT.
pub(super) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The text of `column`, parsed.
pub(super) fn parsed<T>(row: &SqliteRow, column: &str) -> sqlx::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    parse(column, row.try_get(column)?)
}

/// The same, where the column may be NULL.
pub(super) fn parsed_option<T>(row: &SqliteRow, column: &str) -> sqlx::Result<Option<T>>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| parse(column, text)).transpose()
}

fn parse<T>(column: &str, text: &str) -> sqlx::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|error| decode_error(column, error))
}

/// The time in `column`.
pub(super) fn time(row: &SqliteRow, column: &str) -> sqlx::Result<Timestamp> {
    to_time(column, row.try_get(column)?)
}

/// The same, where the column may be NULL.
pub(super) fn time_option(row: &SqliteRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    let micros: Option<i64> = row.try_get(column)?;
    micros.map(|micros| to_time(column, micros)).transpose()
}

fn to_time(column: &str, micros: i64) -> sqlx::Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|error| decode_error(column, error))
}

/// The size, count or number in `column`.
pub(super) fn unsigned<I: ColumnIndex<SqliteRow> + std::fmt::Display>(row: &SqliteRow, column: I) -> sqlx::Result<u64> {
    let name = column.to_string();
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|error| decode_error(&name, error))
}

/// The 0 or 1 in `column`; NULL is 0.
pub(super) fn flag(row: &SqliteRow, column: &str) -> sqlx::Result<bool> {
    Ok(row.try_get::<Option<i64>, _>(column)?.is_some_and(|value| value != 0))
}

fn decode_error(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}
