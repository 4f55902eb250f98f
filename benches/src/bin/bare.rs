//! The limit of small answers: the same web server and allocator as Berth's, with one route and nothing behind it.

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(async {
        let address = std::env::args().nth(1).context("bare HOST:PORT")?;
        // As long as the manifest that is compared with it.
        let answer = || async { HttpResponse::Ok().body([b'x'; 560].as_slice()) };
        let app = move || App::new().route("/v2/", web::get().to(answer));
        HttpServer::new(app).bind(address)?.run().await.context("the server failed")
    })
}
