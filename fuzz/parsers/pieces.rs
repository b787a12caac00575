//! Cutting an input the way a network might.

/// Cuts `input` into pieces. `pattern` 0 leaves it whole, up to 127 makes all pieces that long, above that their lengths
/// vary.
pub fn cut(input: &[u8], pattern: u8) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = input;
    let mut state = u32::from(pattern);
    while !rest.is_empty() {
        let length = match pattern {
            0 => rest.len(),
            1..=127 => usize::from(pattern),
            _ => {
                state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                1 + usize::from((state >> 16) as u8 % 23)
            }
        };
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
