//! Test plugins without a server.
//!
//! * [`host`] stands in for the host: [`TestHost`] starts a plugin through the same glue as a loaded library, and lets the
//!   SDK's timers, tasks, connections and log work in unit tests. Its clock is tokio's, so `tokio::time::pause` stops it.
//! * [`session`] makes a session of a protocol with the test as its client: [`TestSession`], [`TestClient`].
//! * [`dialogue`] plays scripts of `C:` and `S:` lines against anything that reads and writes.
//! * [`conformance`] says whether a provider does what its interface promises; TLS with the feature `tls-conformance`.
//!
//! ```
//! use dovetail_sdk::{protocol::*, Context, Plugin, StartFailure};
//! use dovetail_testkit::{Script, TestHost, TestSession};
//!
//! struct Hello;
//!
//! impl Plugin for Hello {
//!     type Config = ();
//!     async fn start(_: (), _: Context) -> Result<Self, StartFailure> {
//!         Ok(Hello)
//!     }
//! }
//!
//! impl ProtocolProvider for Hello {
//!     fn traits(&self) -> ProtocolTraits {
//!         ProtocolTraits { alpn: vec![], try_later: b"later\r\n".to_vec() }
//!     }
//!     async fn serve(&self, mut session: Session) -> Result<(), SessionFailure> {
//!         session.stream.queue(b"hello\r\n");
//!         session.stream.close().await?;
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = TestHost::new();
//! let hello = host.start::<Hello>("()", []).await?;
//! let (mut client, served) = hello.serve(TestSession::new());
//! Script::parse("greeting", "S: hello\nS!")?.play(&mut client).await?;
//! served.await??;
//! assert!(host.panics().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! **How it fails.** What the test asks wrongly of it panics with a sentence; what the plugin under test does wrongly is an
//! error that the test can look at.

pub mod conformance;
pub mod dialogue;
pub mod host;
pub mod session;

pub use dialogue::{run_dir, run_file, DialogueError, Script};
pub use host::{bound, Started, TestHost, TestSlot, TestTickets};
pub use session::{TestClient, TestSession};
