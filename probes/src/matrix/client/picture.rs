//! A picture that nobody has seen before (PNG specification, third edition).

use ring::rand::{SecureRandom, SystemRandom};

/// Width and height in pixels.
const SIDE: usize = 64;

/// A PNG of 64 by 64 grey pixels, each random.
///
/// # Errors
/// When the system gives no random bytes.
pub fn picture() -> Result<Vec<u8>, String> {
    let mut pixels = vec![0; SIDE * (SIDE + 1)];
    SystemRandom::new().fill(&mut pixels).map_err(|_| "the system gives no random bytes")?;
    // Each row begins with its filter: none.
    pixels.iter_mut().step_by(SIDE + 1).for_each(|filter| *filter = 0);
    let side = (SIDE as u32).to_be_bytes();
    let header = [&side[..], &side, &[8, 0, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &header);
    chunk(&mut png, b"IDAT", &stored(&pixels));
    chunk(&mut png, b"IEND", &[]);
    Ok(png)
}

/// A zlib stream of one stored block (RFC 1950, RFC 1951 section 3.2.4).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let [low, high] = length.to_le_bytes();
    let head = [0x78, 0x01, 0x01, low, high, !low, !high];
    [&head[..], bytes, &adler32(bytes).to_be_bytes()].concat()
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let from = png.len();
    png.extend_from_slice(kind);
    png.extend_from_slice(data);
    let sum = crc32(&png[from..]);
    png.extend_from_slice(&sum.to_be_bytes());
}

fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65521;
    let (a, b) = bytes.iter().fold((1, 0), |(a, b): (u32, u32), byte| {
        let a = (a + u32::from(*byte)) % BASE;
        (a, (b + a) % BASE)
    });
    (b << 16) | a
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_specifications() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b"IEND"), 0xAE42_6082);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn pictures_are_small_and_each_its_own() {
        let (one, other) = (picture().expect("random"), picture().expect("random"));
        assert!(one.starts_with(b"\x89PNG\r\n\x1a\n") && one.len() < 5000);
        assert_ne!(one, other);
    }
}
