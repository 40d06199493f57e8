//! What the command line asks for.

pub(crate) const USAGE: &str = "usage: tincan-sim [--seeds N] [--from SEED] [--seed SEED] [--direct] [--brief | --all]

  --seeds N    runs so many seeds (default 300)
  --from SEED  the first of them (default 0)
  --seed SEED  runs one seed, and shows what happens
  --direct     people agree to direct connections, which are off by default
  --brief      of a broken promise only: \"broken\", the number of seeds that it took, the promise
  --all        goes on after a broken promise, and counts how often each is broken";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) seeds: u64,
    pub(crate) from: u64,
    pub(crate) one: Option<u64>,
    pub(crate) direct: bool,
    pub(crate) brief: bool,
    pub(crate) all: bool,
}

impl Asked {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self { seeds: 300, from: 0, one: None, direct: false, brief: false, all: false };
        while let Some(word) = words.next() {
            let mut number = || {
                let text = words.next().ok_or_else(|| format!("{word} wants a number"))?;
                text.parse().map_err(|_| format!("invalid value '{text}' for {word}"))
            };
            match word.as_str() {
                "--seeds" => asked.seeds = number()?,
                "--from" => asked.from = number()?,
                "--seed" => asked.one = Some(number()?),
                "--direct" => asked.direct = true,
                "--brief" => asked.brief = true,
                "--all" => asked.all = true,
                _ => return Err(format!("unknown argument '{word}'")),
            }
        }
        Ok(asked)
    }
}
