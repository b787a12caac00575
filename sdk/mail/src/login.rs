//! Logins by SASL on a session: what is offered ([`Offer`]), and how one is held ([`log_in`]). The protocols differ only in what
//! stands in front of a challenge.
//!
//! A login that fails is logged, reported to core and answered late by [`Session::conclude`] and [`Session::refuse`], whatever the
//! mechanism, and the client hears the same for every reason.
//!
//! **Fails** with an I/O error if the connection does; everything else is an [`Outcome`]. **Bounds**: those of [`crate::sasl`].

mod offer;

pub use offer::Offer;

use std::io;

use data_encoding::BASE64;
use dovetail_sdk::directory::{Directory, DirectoryFailure, Proven, ScramRequest};
use dovetail_sdk::line::{BadLine, Line};
use dovetail_sdk::protocol::{Claim, Login, Session};
use dovetail_sdk::Service;

use crate::sasl::{Channel, Credentials, Exchange, Mechanism, SaslError, Step, MAX_RESPONSE};

/// A client's wish to log in.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The protocol's name, such as `smtp`.
    pub service: &'static str,
    /// What stands in front of a challenge: `334 ` in SMTP, `+ ` elsewhere.
    pub mark: &'static str,
    /// The mechanism, one of [`Offer::find`].
    pub mechanism: Mechanism,
    /// The initial response, in base64; may hold a password.
    pub initial: Option<&'a [u8]>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was held to its end.
    Ended(Login),
    /// The client did not do its part. [`SaslError::Malformed`] is answered like a wrong password.
    NotUnderstood(SaslError),
    /// The client sent a line that is none.
    BadLine(BadLine),
}

/// Holds a login.
///
/// # Errors
/// If the connection fails or ends.
pub async fn log_in(
    session: &mut Session,
    directory: &Service<Directory>,
    offer: &Offer,
    request: Request<'_>,
) -> io::Result<Outcome> {
    let Request { service, mark, mechanism, initial } = request;
    let mechanism_name = mechanism.name();
    let mut exchange = Exchange::new(mechanism, channel(session, offer)?);
    let mut admitted = None;
    let mut step = exchange.start(initial);
    loop {
        step = match step {
            Ok(Step::Challenge(challenge)) => {
                session.stream.queue(format!("{mark}{challenge}\r\n").as_bytes());
                match session.stream.read_line(MAX_RESPONSE).await? {
                    Line::Good(line) => exchange.respond(&line),
                    Line::Bad(bad) => return Ok(Outcome::BadLine(bad)),
                    Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
            Ok(Step::Check(Credentials::Password { act_as, identity, password })) => {
                let password = dovetail_sdk::Secret::new(password.expose().to_vec());
                let claim = Claim { identity, act_as, password, mechanism: mechanism_name };
                return Ok(Outcome::Ended(session.log_in(directory, service, claim).await));
            }
            Ok(Step::Check(Credentials::Certificate { act_as })) => {
                let login = session.log_in_by_certificate(directory, service, act_as, mechanism_name).await;
                return Ok(Outcome::Ended(login));
            }
            Ok(Step::Keys(authentication_id)) => {
                let request = ScramRequest {
                    authentication_id: authentication_id.clone(),
                    peer: session.info.peer.ip(),
                    service: service.to_owned(),
                };
                let answer = match directory.ready().await {
                    Ok(directory) => directory.scram_keys(request).await,
                    Err(failure) => Err(failure.into()),
                };
                let taken = answer.and_then(|keys| exchange.keys(&keys).map_err(DirectoryFailure::new));
                match taken {
                    Ok(step) => Ok(step),
                    Err(failure) => {
                        let login = session.conclude(Err(failure), authentication_id, mechanism_name).await;
                        return Ok(Outcome::Ended(login));
                    }
                }
            }
            Ok(Step::Proven { identity, act_as }) => {
                let proven = Proven {
                    authentication_id: identity.clone(),
                    authorization_id: act_as.unwrap_or_default(),
                    peer: session.info.peer.ip(),
                    service: service.to_owned(),
                };
                let answer = match directory.ready().await {
                    Ok(directory) => directory.authorize(proven).await,
                    Err(failure) => Err(failure.into()),
                };
                // Logged and reported before the client hears that it is in: what it says then, or that it goes, changes nothing.
                match session.conclude(answer, identity, mechanism_name).await {
                    login @ Login::Accepted { .. } => {
                        admitted = Some(login);
                        exchange.welcome()
                    }
                    refused => return Ok(Outcome::Ended(refused)),
                }
            }
            Ok(Step::Done) => {
                return Ok(admitted.map_or(Outcome::NotUnderstood(SaslError::Over), Outcome::Ended));
            }
            Err(SaslError::NotProven(why)) => {
                let name = exchange.identity().unwrap_or_default();
                return Ok(Outcome::Ended(session.refuse(name, mechanism_name, &why.to_string()).await));
            }
            Err(error) => return Ok(Outcome::NotUnderstood(error)),
        };
    }
}

/// What there is to bind to, and a nonce that was never used before.
fn channel(session: &Session, offer: &Offer) -> io::Result<Channel> {
    let mut nonce = [0; NONCE_OCTETS];
    getrandom::fill(&mut nonce)
        .map_err(|error| io::Error::other(format!("the system gives no random bytes: {error}")))?;
    let exporter = session.tls().and_then(|facts| facts.exporter.clone());
    let bound = offer.contains(Mechanism::ScramSha256Plus);
    Ok(Channel::new(BASE64.encode(&nonce)).bound_by(exporter.filter(|_| bound)))
}

/// 24 characters in base64.
const NONCE_OCTETS: usize = 18;

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}
