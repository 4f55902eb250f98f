//! Calls from one service to another over HTTP.
//!
//! Must not know what is asked.

use std::time::Duration;

/// A living service accepts at once, also when it is busy.
const CONNECT_DEADLINE: Duration = Duration::from_secs(1);

/// A client for calls to the service at `base`, as `http://index:5001`; one without an answer after `deadline` has failed.
pub fn client(base: &str, deadline: Duration) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder();
    if base.starts_with("http://") {
        // No certificate is ever looked at, and a small image has none: building the client must not need them.
        builder = builder.tls_certs_only([]);
    }
    let builder = builder.timeout(deadline).connect_timeout(CONNECT_DEADLINE);
    Ok(builder.redirect(reqwest::redirect::Policy::none()).no_proxy().build()?)
}

/// Why a call failed, with the whole chain of causes: "error sending request" alone tells an operator nothing.
pub fn reason(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::new(error))
}
