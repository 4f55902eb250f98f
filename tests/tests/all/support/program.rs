//! Berth as a process of its own, which can be killed and started again in the same folder.

use super::host::Host;
use super::stack::Stack;
use super::user::{PASSWORD, User};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// No start takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What registries prove themselves to the index with.
const SECRET: &str = "of registries";

/// Runs a command of `berth` on the folder `data` to its end: what it prints, or with which words it fails.
pub async fn berth(data: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
    command.args(arguments).env("BERTH_DATA", data);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// A running `faulty`; killed when dropped.
pub struct Program {
    pub host: Host,
    child: Child,
}

impl Program {
    /// Starts it in `data`, with these rules of fail points. `None`: a rule has ended it before it was ready.
    pub async fn start(data: &Path, faults: &str) -> Option<Self> {
        Self::launch(&[], data, &data.with_extension("log"), &[("BERTH_FAULTS", faults)]).await
    }

    /// Starts it in `data`, with these variables. Its log lies beside that.
    pub async fn start_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        let started = Self::launch(&[], data, &data.with_extension("log"), variables).await;
        started.expect("a process that nobody kills")
    }

    /// The same of a registry without an index; any number of them may share the folder.
    pub async fn start_registry(data: &Path, variables: &[(&str, &str)]) -> Self {
        let started = Self::launch(&["registry"], data, &data.with_extension("log"), variables).await;
        started.expect("a process that nobody kills")
    }

    /// A registry on the storage of `stack`, which asks its index over HTTP, with further variables.
    pub async fn start_beside(stack: &Stack, variables: &[(&str, &str)]) -> Self {
        let started = Self::start_replica(stack, &Self::index_of(stack), variables).await;
        started.expect("a process that nobody kills")
    }

    /// The index of `stack` as registries that are processes of their own ask it.
    pub fn index_of(stack: &Stack) -> Host {
        stack.index_for_registries(SECRET)
    }

    /// The same with an `index` that several of them ask, and perhaps with fail points. `None`: a rule has ended it before
    /// it was ready.
    pub async fn start_replica(stack: &Stack, index: &Host, variables: &[(&str, &str)]) -> Option<Self> {
        let index = format!("http://{}", index.address());
        let realm = format!("{index}/token");
        let own = [
            ("REGISTRY_INDEX_URL", index.as_str()),
            ("REGISTRY_INDEX_SECRET", SECRET),
            ("REGISTRY_AUTH_TOKEN_REALM", &realm),
        ];
        let log = stack.folder().join("registry.log");
        Self::launch(&["registry"], stack.folder(), &log, &[&own[..], variables].concat()).await
    }

    /// The same as the program `registry-service` has it, which shows the index this secret. Its log is
    /// `registry-service.log` in the folder.
    pub async fn start_service(stack: &Stack, secret: &str, variables: &[(&str, &str)]) -> Self {
        let index = format!("http://{}", stack.index_for_registries(secret).address());
        let own = [
            ("REGISTRY_INDEX_URL", index.as_str()),
            ("REGISTRY_INDEX_SECRET", secret),
            ("REGISTRY_AUTH_TOKEN_REALM", &format!("{index}/token")),
            ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", stack.root().to_str().unwrap()),
        ];
        let log = stack.folder().join("registry-service.log");
        let started = Self::launch(&["service", "serve"], stack.folder(), &log, &[&own[..], variables].concat()).await;
        started.expect("a process that nobody kills")
    }

    async fn launch(arguments: &[&str], data: &Path, log: &Path, variables: &[(&str, &str)]) -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address: SocketAddr = free.local_addr().unwrap();
        drop(free);
        let log = fs::File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_faulty"))
            .args(arguments)
            .env(
                if arguments == ["service", "serve"] { "REGISTRY_HTTP_ADDR" } else { "BERTH_LISTEN" },
                address.to_string(),
            )
            .env("BERTH_DATA", data)
            .envs(variables.iter().copied())
            .env("INDEX_ADMIN_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut program = Self { host: Host::new(address), child };
        let begun = Instant::now();
        while program.host.get("/v2/").attempt().await.is_none() {
            if program.was_killed() {
                return None;
            }
            assert!(begun.elapsed() < PATIENCE, "it is not ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Some(program)
    }

    /// The same without faults, where it must come up.
    pub async fn start_well(data: &Path) -> Self {
        Self::start(data, "").await.expect("a process that nobody kills")
    }

    /// Whether it has ended by a kill. Another end is no part of any test.
    pub fn was_killed(&mut self) -> bool {
        let Some(status) = self.child.try_wait().unwrap() else { return false };
        assert_eq!(status.signal(), Some(9), "it ended by itself: {status}");
        true
    }

    /// The number that the system knows it by.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as whoever runs it does: by SIGTERM.
    pub fn ask_to_stop(&self) {
        let asked = Command::new("sh").args(["-c", "kill -s TERM \"$0\"", &self.id().to_string()]).status();
        assert!(asked.unwrap().success());
    }

    /// Waits until it has ended by itself; how it did.
    pub async fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills it, and waits for its end.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until a rule has killed it.
    pub async fn ends(&mut self) {
        let begun = Instant::now();
        while !self.was_killed() {
            assert!(begun.elapsed() < PATIENCE, "nothing killed it");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn admin(&self) -> User {
        User::new(&self.host, "admin")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
