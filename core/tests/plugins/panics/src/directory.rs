//! A directory with one account, [`ACCOUNT`] with the password [`PASSWORD`].

use crate::Panics;
use dovetail_sdk::directory::{
    AddressKind, AuthOutcome, AuthStatus, CertificateAttempt, CertificateOutcome, DirectoryFailure, DirectoryProvider,
    LoginMethods, PasswordAttempt, Proven, Resolution, ScramKeys, ScramRequest,
};

pub(crate) const ACCOUNT: &str = "ann@example.test";
pub(crate) const PASSWORD: &str = "correct horse";

impl DirectoryProvider for Panics {
    async fn authenticate(&self, attempt: PasswordAttempt) -> Result<AuthOutcome, DirectoryFailure> {
        let is_right = attempt.authentication_id == ACCOUNT && attempt.password.expose() == PASSWORD.as_bytes();
        Ok(match is_right {
            true => AuthOutcome { status: AuthStatus::Accepted, account: Some(ACCOUNT.to_owned()) },
            false => AuthOutcome { status: AuthStatus::Rejected, account: None },
        })
    }

    async fn authenticate_certificate(&self, _: CertificateAttempt) -> Result<CertificateOutcome, DirectoryFailure> {
        Err(DirectoryFailure { message: "there are no logins by certificate here".to_owned() })
    }

    fn login_methods(&self) -> Result<LoginMethods, DirectoryFailure> {
        Ok(LoginMethods::default())
    }

    async fn scram_keys(&self, _: ScramRequest) -> Result<ScramKeys, DirectoryFailure> {
        Err(DirectoryFailure::new("there are no SCRAM keys here"))
    }

    async fn authorize(&self, _: Proven) -> Result<AuthOutcome, DirectoryFailure> {
        Err(DirectoryFailure::new("there are no SCRAM keys here"))
    }

    async fn resolve(&self, address: String) -> Result<Resolution, DirectoryFailure> {
        Ok(match address.eq_ignore_ascii_case(ACCOUNT) {
            true => Resolution { kind: AddressKind::Local, accounts: vec![ACCOUNT.to_owned()] },
            false => Resolution { kind: AddressKind::Unknown, accounts: Vec::new() },
        })
    }

    async fn may_send_as(&self, account: String, address: String) -> Result<bool, DirectoryFailure> {
        Ok(account == address)
    }
}
