//! Logs: to standard error, as text at a terminal and as JSON lines elsewhere.
//!
//! Must not be called twice. A secret never reaches it: types that hold one do not print it.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging at `level` (`error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,sqlx=debug`).
pub fn start(level: &str) -> anyhow::Result<()> {
    // The web server's own words about its workers, and about clients that try TLS on a plain port as docker does, are no
    // news to an operator; `level` can ask for them back.
    let filter = EnvFilter::try_new(format!("actix_server=warn,actix_http=off,{level}"))
        .map_err(|error| anyhow::anyhow!("log level {level:?}: {error}"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        logs.with_target(false).init();
    } else {
        logs.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    }
    Ok(())
}
