//! Protocol Buffers by hand, so that anything can be said.

/// An unsigned varint.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).expect("seven bits"));
    bytes
}

/// A message in the making.
#[derive(Debug, Clone, Default)]
pub struct Proto(Vec<u8>);

impl Proto {
    pub fn number(mut self, field: u64, value: u64) -> Self {
        self.0.extend([varint(field << 3), varint(value)].concat());
        self
    }

    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.0.extend([varint(field << 3 | 2), varint(bytes.len() as u64)].concat());
        self.0.extend(bytes);
        self
    }

    /// The same field again and again.
    pub fn all(self, field: u64, many: impl IntoIterator<Item = Vec<u8>>) -> Self {
        many.into_iter().fold(self, |message, one| message.bytes(field, &one))
    }

    pub fn done(self) -> Vec<u8> {
        self.0
    }

    /// With its length before it, as on a stream.
    pub fn prefixed(message: &[u8]) -> Vec<u8> {
        [varint(message.len() as u64), message.to_vec()].concat()
    }
}
