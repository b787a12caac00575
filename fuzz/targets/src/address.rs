//! Addresses, paths and status codes.

use dovetail_mail::address::{Address, ForwardPath, ReversePath, MAX_ADDRESS, MAX_DOMAIN, MAX_LOCAL_PART};
use dovetail_mail::EnhancedStatus;

/// What is read prints as something that reads as the same, within the limits.
pub fn address(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let address = text.parse::<Address>();
    if let Ok(address) = &address {
        check(address);
    }
    if let Ok(code) = text.parse::<EnhancedStatus>() {
        assert_eq!(code.to_string(), text);
    }
    reverse(bytes) | forward(bytes) | address.is_ok()
}

fn check(address: &Address) {
    let printed = address.to_string();
    assert!(printed.is_ascii() && printed.len() <= MAX_ADDRESS, "{printed}");
    assert_eq!(printed.parse().as_ref(), Ok(address));
    assert!(address.local().to_string().len() <= MAX_LOCAL_PART, "{printed}");
    if let Some(domain) = address.domain() {
        assert!(domain.as_str().len() <= MAX_DOMAIN, "{printed}");
        assert!(!domain.as_str().bytes().any(|b| b.is_ascii_uppercase()), "{printed}");
    }
    let again = Address::new(address.local().clone(), address.host().clone());
    assert_eq!(again.as_ref(), Ok(address));
}

fn reverse(bytes: &[u8]) -> bool {
    let Ok((path, rest)) = ReversePath::parse_prefix(bytes) else {
        return false;
    };
    assert!(bytes.ends_with(rest) && bytes[..bytes.len() - rest.len()].ends_with(b">"));
    path.address().into_iter().for_each(check);
    assert_eq!(ReversePath::parse_prefix(path.to_string().as_bytes()), Ok((path.clone(), &b""[..])));
    true
}

fn forward(bytes: &[u8]) -> bool {
    let Ok((path, rest)) = ForwardPath::parse_prefix(bytes) else {
        return false;
    };
    assert!(bytes.ends_with(rest) && bytes[..bytes.len() - rest.len()].ends_with(b">"));
    assert_eq!(ForwardPath::parse_prefix(path.to_string().as_bytes()), Ok((path.clone(), &b""[..])));
    true
}
