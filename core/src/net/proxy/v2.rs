//! Version 2: 16 octets, then a block of addresses and TLVs (section 2.2).

use super::{BadHeader, Next, Origin};
use std::net::IpAddr;

/// Addresses and TLVs have at most so many octets together.
pub const MAX_BLOCK: usize = 4096;
/// How each header begins.
pub const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
pub const FIXED: usize = 16;
/// Two paths of Unix sockets.
const UNIX: usize = 216;
/// PP2_TYPE_CRC32C.
const CRC32C: u8 = 0x03;

/// As [`super::next`], for a binary header.
pub fn next(header: &[u8]) -> Result<Next, BadHeader> {
    let Some((fixed, block)) = header.split_first_chunk::<FIXED>() else {
        return Ok(Next::Read(FIXED - header.len()));
    };
    let (version, command) = (fixed[12] >> 4, fixed[12] & 0x0f);
    if version != 2 {
        return Err(BadHeader::Version(version));
    }
    if command > 1 {
        return Err(BadHeader::Command(command));
    }
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if length > MAX_BLOCK {
        return Err(BadHeader::TooLong(FIXED + MAX_BLOCK));
    }
    match length.saturating_sub(block.len()) {
        // LOCAL: the block is skipped, whatever it holds.
        0 if command == 0 => Ok(Next::Whole(None)),
        0 => parse(header, fixed[13], block).map(Next::Whole),
        more => Ok(Next::Read(more)),
    }
}

fn parse(header: &[u8], family: u8, mut block: &[u8]) -> Result<Option<Origin>, BadHeader> {
    let origin = match family {
        0x11 => Some(addresses::<4>(&mut block)?),
        0x21 => Some(addresses::<16>(&mut block)?),
        0x31 => {
            take::<UNIX>(&mut block)?;
            None
        }
        // Family or transport unspecified: there is nothing to be understood in the block.
        0x00..=0x02 | 0x10 | 0x20 | 0x30 => return Ok(None),
        other => return Err(BadHeader::Family(other)),
    };
    check(header, block)?;
    Ok(origin)
}

fn take<const N: usize>(block: &mut &[u8]) -> Result<[u8; N], BadHeader> {
    let (taken, rest) = block.split_first_chunk::<N>().ok_or(BadHeader::CutOff)?;
    *block = rest;
    Ok(*taken)
}

fn addresses<const N: usize>(block: &mut &[u8]) -> Result<Origin, BadHeader>
where
    IpAddr: From<[u8; N]>,
{
    let (client, destination) = (take::<N>(block)?, take::<N>(block)?);
    let (client_port, destination_port) = (take::<2>(block)?, take::<2>(block)?);
    Ok(Origin::new(
        (client.into(), u16::from_be_bytes(client_port)),
        (destination.into(), u16::from_be_bytes(destination_port)),
    ))
}

/// Goes over the TLVs: each is whole, and a checksum fits.
fn check(header: &[u8], mut tlvs: &[u8]) -> Result<(), BadHeader> {
    while !tlvs.is_empty() {
        let [kind, high, low] = take::<3>(&mut tlvs)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = tlvs.split_at_checked(length).ok_or(BadHeader::CutOff)?;
        if kind == CRC32C {
            let before = header.len() - rest.len() - value.len();
            // The sum is of the whole header, its own four octets taken as zeros.
            let sum = crc32c::crc32c(header.get(..before).unwrap_or_default());
            let sum = crc32c::crc32c_append(crc32c::crc32c_append(sum, &[0; 4]), rest);
            if value != sum.to_be_bytes() {
                return Err(BadHeader::Checksum);
            }
        }
        tlvs = rest;
    }
    Ok(())
}
