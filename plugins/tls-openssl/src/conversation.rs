//! What is known of a connection while it shakes hands: kept with OpenSSL's own state, where its callbacks find it.

use super::tickets::Ring;
use dovetail_sdk::tls::TlsError;
use openssl::{
    error::ErrorStack,
    ex_data::Index,
    ssl::{Ssl, SslRef},
};
use std::sync::{Arc, OnceLock};

/// See the module.
#[derive(Default)]
pub(crate) struct Conversation {
    /// The name that the client asks for.
    pub(crate) server_name: Option<String>,
    /// Why we ended the handshake from within a callback.
    pub(crate) failure: Option<TlsError>,
    /// The ticket keys of the identity set that serves the connection.
    pub(crate) ring: Option<Arc<Ring>>,
    /// For so many seconds from its making a ticket is good.
    pub(crate) lifetime: u32,
}

/// Begins a conversation.
pub(crate) fn begin(ssl: &mut SslRef) -> Result<(), ErrorStack> {
    ssl.set_ex_data(index()?, Conversation::default());
    Ok(())
}

/// The conversation, if one was begun.
pub(crate) fn of(ssl: &SslRef) -> Option<&Conversation> {
    ssl.ex_data(index().ok()?)
}

/// The conversation, to be changed.
pub(crate) fn of_mut(ssl: &mut SslRef) -> Option<&mut Conversation> {
    ssl.ex_data_mut(index().ok()?)
}

/// OpenSSL gives each user a number for what it keeps with a connection. One for the library, however many instances it has:
/// OpenSSL never takes them back.
fn index() -> Result<Index<Ssl, Conversation>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Conversation>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let fresh = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| fresh))
}
