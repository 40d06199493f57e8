//! `crowd`: what a crowd costs a hub. Prints a line of JSON for each row. See the library.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tincan_crowd::{bench, hub::Transport, plan::Plan, rows::Row};

/// What a crowd of peers in one room costs a hub
#[derive(Debug, Parser)]
struct Args {
    /// The hub's binary
    #[arg(long, env = "TINCAN_BIN")]
    hub: PathBuf,
    /// With how many peers, separated by commas; with 500, or else the most, the hub is also disturbed and restarted
    #[arg(long, value_delimiter = ',')]
    peers: Vec<usize>,
    /// Only rows whose names have all these words: join, lines, watcher, deaf, restart, a count, evenly, at-once, tincan, stock
    #[arg(long, default_value = "")]
    rows: String,
    /// Few peers and lines, in seconds
    #[arg(long)]
    quick: bool,
    /// Fail where a line is missing, doubled or out of order, or somebody does not know who is there
    #[arg(long)]
    check: bool,
    /// By which transport peers dial
    #[arg(long, value_enum, default_value = "tcp")]
    transport: Transport,
    /// Seconds that anything is waited for that may never come
    #[arg(long)]
    patience: Option<u64>,
}

impl Args {
    fn plan(self) -> Result<Plan> {
        let mut plan = if self.quick { Plan::quick(self.hub) } else { Plan::full(self.hub) };
        plan.transport = self.transport;
        if !self.peers.is_empty() {
            plan.peers = self.peers;
        }
        if plan.peers.iter().any(|peers| *peers < 2) {
            bail!("--peers: a room needs two");
        }
        plan.words = self.rows.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        plan.patience = self.patience.map_or(plan.patience, Duration::from_secs);
        if plan.sessions().is_empty() {
            bail!("no row has all the words of --rows {}", self.rows);
        }
        Ok(plan)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let (check, plan) = (args.check, args.plan()?);
    // Each peer is a connection here, and a few files more.
    rlimit::increase_nofile_limit(u64::MAX).context("cannot allow more open files")?;
    let mut broken = Vec::new();
    let done = |row: Row| {
        broken.extend(row.holds().err());
        match serde_json::to_string(&row) {
            Ok(line) => println!("{line}"),
            Err(error) => broken.push(format!("a row cannot be printed: {error}")),
        }
    };
    bench::run(&plan, |name| eprintln!("    {name}"), done).await?;
    if check && !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    Ok(())
}
