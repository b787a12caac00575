//! Plain Rust types and their `repr(C)` twins.
//!
//! Conversions move: a `String` becomes an `RString` without a copy, and back without a copy where it was made in the same
//! library. A value made elsewhere is freed by its maker's allocator.

use crate::secret::Secret;
use abi_stable::{
    std_types::{ROption, RResult, RString, RVec},
    StableAbi,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A plain type that can cross the boundary as [`Wire::Abi`].
pub trait Wire: Sized {
    /// The type that crosses.
    type Abi: StableAbi + 'static;
    /// Gives the value up to the boundary.
    fn into_abi(self) -> Self::Abi;
    /// Takes a value that came across.
    fn from_abi(abi: Self::Abi) -> Self;
}

/// Types that cross as they are.
#[macro_export]
#[doc(hidden)]
macro_rules! wire_as_is {
    ($($ty:ty),* $(,)?) => {$(
        impl $crate::wire::Wire for $ty {
            type Abi = $ty;
            fn into_abi(self) -> $ty { self }
            fn from_abi(abi: $ty) -> $ty { abi }
        }
    )*};
}
wire_as_is!(u8, u16, u32, u64, i32, i64, bool, ());

impl Wire for String {
    type Abi = RString;
    fn into_abi(self) -> RString {
        self.into()
    }
    fn from_abi(abi: RString) -> String {
        abi.into()
    }
}

impl<T: Wire> Wire for Vec<T> {
    type Abi = RVec<T::Abi>;
    fn into_abi(self) -> RVec<T::Abi> {
        // In-place collection: for plain numbers and bytes this is a move of the buffer.
        self.into_iter().map(T::into_abi).collect::<Vec<_>>().into()
    }
    fn from_abi(abi: RVec<T::Abi>) -> Vec<T> {
        abi.into_vec().into_iter().map(T::from_abi).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    type Abi = ROption<T::Abi>;
    fn into_abi(self) -> ROption<T::Abi> {
        self.map(T::into_abi).into()
    }
    fn from_abi(abi: ROption<T::Abi>) -> Option<T> {
        abi.into_option().map(T::from_abi)
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    type Abi = RResult<T::Abi, E::Abi>;
    fn into_abi(self) -> RResult<T::Abi, E::Abi> {
        match self {
            Ok(value) => RResult::ROk(value.into_abi()),
            Err(error) => RResult::RErr(error.into_abi()),
        }
    }
    fn from_abi(abi: RResult<T::Abi, E::Abi>) -> Result<T, E> {
        match abi {
            RResult::ROk(value) => Ok(T::from_abi(value)),
            RResult::RErr(error) => Err(E::from_abi(error)),
        }
    }
}

impl Wire for Secret {
    type Abi = Secret;
    fn into_abi(self) -> Secret {
        self
    }
    fn from_abi(abi: Secret) -> Secret {
        abi
    }
}

/// An IP address as it crosses: IPv4 in the first four octets.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiIpAddr {
    octets: [u8; 16],
    v6: bool,
}

impl Wire for IpAddr {
    type Abi = AbiIpAddr;
    fn into_abi(self) -> AbiIpAddr {
        let mut octets = [0; 16];
        let v6 = match self {
            IpAddr::V4(ip) => {
                octets[..4].copy_from_slice(&ip.octets());
                false
            }
            IpAddr::V6(ip) => {
                octets = ip.octets();
                true
            }
        };
        AbiIpAddr { octets, v6 }
    }
    fn from_abi(abi: AbiIpAddr) -> IpAddr {
        if abi.v6 {
            return IpAddr::V6(Ipv6Addr::from(abi.octets));
        }
        let [a, b, c, d, ..] = abi.octets;
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    }
}

/// A socket address as it crosses.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiSocketAddr {
    ip: AbiIpAddr,
    port: u16,
}

impl Wire for SocketAddr {
    type Abi = AbiSocketAddr;
    fn into_abi(self) -> AbiSocketAddr {
        AbiSocketAddr { ip: self.ip().into_abi(), port: self.port() }
    }
    fn from_abi(abi: AbiSocketAddr) -> SocketAddr {
        SocketAddr::new(IpAddr::from_abi(abi.ip), abi.port)
    }
}

/// Declares a plain struct and its twin that crosses the boundary.
///
/// `pub struct Envelope => EnvelopeAbi { pub sender: String }` makes both and their conversion. Field types must be
/// [`Wire`].
#[macro_export]
macro_rules! wire_struct {
    ($(#[$meta:meta])* pub struct $Plain:ident => $Abi:ident { $( $(#[$fmeta:meta])* pub $field:ident : $ty:ty ),* $(,)? }) => {
        $(#[$meta])*
        pub struct $Plain { $( $(#[$fmeta])* pub $field: $ty ),* }

        #[doc = concat!("[`", stringify!($Plain), "`] as it crosses the boundary.")]
        #[repr(C)]
        #[derive($crate::reexport::abi_stable::StableAbi)]
        #[allow(missing_docs)]
        pub struct $Abi { $( pub $field: <$ty as $crate::wire::Wire>::Abi ),* }

        impl $crate::wire::Wire for $Plain {
            type Abi = $Abi;
            fn into_abi(self) -> $Abi {
                $Abi { $( $field: $crate::wire::Wire::into_abi(self.$field) ),* }
            }
            fn from_abi(abi: $Abi) -> Self {
                $Plain { $( $field: $crate::wire::Wire::from_abi(abi.$field) ),* }
            }
        }
    };
}

/// Declares a plain enum without data that crosses as a number, with an arm for numbers that this side does not know.
///
/// `pub enum Level: unknown Info { Error = 1, Info = 3 }`.
#[macro_export]
macro_rules! wire_enum {
    ($(#[$meta:meta])* pub enum $Name:ident : unknown $Unknown:ident { $( $(#[$vmeta:meta])* $Variant:ident = $value:literal ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $Name { $( $(#[$vmeta])* $Variant ),* }

        impl $crate::wire::Wire for $Name {
            type Abi = u32;
            fn into_abi(self) -> u32 {
                match self { $( $Name::$Variant => $value ),* }
            }
            fn from_abi(abi: u32) -> Self {
                match abi { $( $value => $Name::$Variant, )* _ => $Name::$Unknown }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_crossing() {
        for text in ["127.0.0.1:25", "[2001:db8::1]:65535", "[::ffff:1.2.3.4]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(SocketAddr::from_abi(address.into_abi()), address);
        }
    }

    #[test]
    fn nested_values_survive_the_crossing() {
        type Nested = Result<Vec<Option<String>>, u32>;
        let value: Nested = Ok(vec![Some("a".into()), None]);
        assert_eq!(Nested::from_abi(value.clone().into_abi()), value);
    }
}
