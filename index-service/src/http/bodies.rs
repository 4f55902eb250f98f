//! Bodies, read whole: a request's as long as it is small and comes in time, and an answer's.

use super::error::Failure;
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use std::time::Duration;
use tokio::time::timeout;

/// How long a body may take to arrive. Who sends none of what was announced may have no account here, and would hold a
/// connection for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// All of `body`, at most so many bytes.
pub async fn whole(body: Payload, most: usize) -> Result<Bytes, Failure> {
    timeout(PATIENCE, body.to_bytes_limited(most))
        .await
        .map_err(|_| Failure::Malformed("the body took too long to arrive".to_owned()))?
        .map_err(|_| Failure::TooLarge)?
        .map_err(|error| Failure::Malformed(error.to_string()))
}

/// An answer in its parts: whose it is, its body, and the rest.
pub async fn with_bytes(
    answer: ServiceResponse<BoxBody>,
) -> Result<(HttpRequest, Bytes, HttpResponse<()>), actix_web::Error> {
    let (request, answer) = answer.into_parts();
    let (answer, body) = answer.into_parts();
    Ok((request, to_bytes(body).await.map_err(actix_web::Error::from)?, answer))
}
