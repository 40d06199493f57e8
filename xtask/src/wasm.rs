//! Leaving out of a WebAssembly module what only a debugger reads.

use anyhow::{Context, Result, ensure};

/// What every module begins with: its magic number and version 1.
const HEADER: &[u8] = b"\0asm\x01\0\0\0";
/// The kind of section that engines skip.
const CUSTOM: u8 = 0;
/// Names of functions, and of the tools that made them: a third of the module.
const LEFT_OUT: [&[u8]; 2] = [b"name", b"producers"];

/// The same module without those sections.
pub(crate) fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    let mut rest = module.strip_prefix(HEADER).context("no WebAssembly module")?;
    let mut kept = HEADER.to_vec();
    while let [kind, after_kind @ ..] = rest {
        let (size, body) = number(after_kind)?;
        ensure!(size <= body.len(), "a section of the module is cut off");
        let (body, next) = body.split_at(size);
        let whole = &rest[..rest.len() - next.len()];
        rest = next;
        if *kind == CUSTOM {
            let (length, name) = number(body)?;
            if name.get(..length).is_some_and(|name| LEFT_OUT.contains(&name)) {
                continue;
            }
        }
        kept.extend_from_slice(whole);
    }
    Ok(kept)
}

/// An unsigned LEB128 number of up to 32 bits, and what follows it.
fn number(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let mut value = 0;
    for (i, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok((usize::try_from(value)?, &bytes[i + 1..]));
        }
    }
    anyhow::bail!("a number in the module is cut off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(kind: u8, body: &[u8]) -> Vec<u8> {
        let size = u8::try_from(body.len()).unwrap();
        // In two bytes, as linkers leave room for larger numbers.
        [&[kind, size & 0x7f | 0x80, size >> 7], body].concat()
    }

    #[test]
    fn names_go_and_everything_else_stays() {
        let (types, features) = (section(1, b"types"), section(CUSTOM, b"\x0ftarget_features+"));
        let names = section(CUSTOM, &[b"\x04name".as_slice(), &[7; 120]].concat());
        let producers = section(CUSTOM, b"\x09producersrustc");
        let module = [HEADER, &types, &names, &features, &producers].concat();
        assert_eq!(without_names(&module).unwrap(), [HEADER, &types, &features].concat());
        assert_eq!(without_names(HEADER).unwrap(), HEADER);
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(without_names(b"<!doctype html>").is_err());
        assert!(without_names(&[HEADER, &[1, 9, 0]].concat()).is_err());
        assert!(without_names(&[HEADER, &[1, 0xff]].concat()).is_err());
    }
}
