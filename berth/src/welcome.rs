//! What a person at the terminal reads at start: the address, and at the first start what to type next.
#![allow(clippy::print_stdout, reason = "this is what the program says to the person who started it")]

use index_service::FirstAdmin;
use std::net::SocketAddr;

/// Prints it. The first administrator is there at the first start only.
pub fn print(public_url: &str, listen: SocketAddr, first_admin: Option<&FirstAdmin>) {
    println!("Berth is ready at {public_url}");
    if !listen.ip().is_loopback() && public_url.contains("//localhost") {
        println!("Clients on other machines need INDEX_PUBLIC_URL set to the address that they use.");
    }
    let Some(admin) = first_admin else { return };
    let host = public_url.split_once("://").map_or(public_url, |(_, host)| host);
    println!();
    println!("  user      {}", admin.user);
    if let (Some(password), Some(file)) = (&admin.password, &admin.password_file) {
        println!("  password  {password}");
        println!("            also in {} until you change it", file.display());
    } else {
        println!("  password  the one in INDEX_ADMIN_PASSWORD");
    }
    println!();
    println!("Sign in with");
    println!();
    println!("  docker login {host} -u {}", admin.user);
    println!();
    println!("and push your first image with");
    println!();
    println!("  docker tag IMAGE {host}/{}/IMAGE", admin.user);
    println!("  docker push {host}/{}/IMAGE", admin.user);
}
