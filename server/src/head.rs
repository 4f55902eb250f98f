//! `HEAD` (RFC 9110 9.3.2): wherever there is a `GET`, with its status and its headers. Only where a GET does more than show
//! something has it none: `/token` issues one. `/v2/` knows HEAD by itself.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

/// Middleware: who asks for the head is shown what a GET shows. The server knows what was asked and sends no body, but its
/// length.
pub async fn answer_head(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let mut answer = next.call(request).await?;
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = answer.headers().get(ALLOW).and_then(|allowed| allowed.to_str().ok()).and_then(with_head);
        if let Some(allowed) = allowed {
            answer.headers_mut().insert(ALLOW, allowed);
        }
    }
    Ok(answer)
}

/// What is allowed, and HEAD where GET is.
fn with_head(allowed: &str) -> Option<HeaderValue> {
    let has_get = allowed.split(',').any(|method| method.trim() == "GET");
    if has_get { HeaderValue::from_str(&allowed.replacen("GET", "GET, HEAD", 1)).ok() } else { None }
}
