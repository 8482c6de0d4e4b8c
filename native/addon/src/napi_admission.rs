//! Admission settings as JavaScript gives and reads them.

use ggscale_transport_core::{
    AdmissionError, AdmissionGauges, AdmissionSettings, Cidr, Rate, ServerGauges,
};
use napi_derive::napi;

use crate::endpoint::Endpoint;
use crate::error::{Code, Failure, Result};
use crate::io::Io;
use crate::napi_options::bad_option;

/// `perSecond: Infinity` means no limit.
#[napi(object)]
pub struct RateOption {
    pub per_second: f64,
    pub burst: f64,
}

/// What is left out stays as it is.
#[napi(object)]
pub struct AdmissionOptions {
    pub token_opens: Option<RateOption>,
    pub handshakes: Option<RateOption>,
    pub handshakes_per_prefix: Option<RateOption>,
    pub max_pending: Option<f64>,
    pub max_flows: Option<f64>,
    pub blocked: Option<Vec<String>>,
    pub busy: Option<bool>,
    pub retry_after_s: Option<f64>,
    pub packets_per_flow: Option<RateOption>,
    pub bytes_per_flow: Option<RateOption>,
}

/// All settings, and how full everything is.
#[napi(object)]
pub struct AdmissionStatus {
    pub token_opens: RateOption,
    pub handshakes: RateOption,
    pub handshakes_per_prefix: RateOption,
    pub max_pending: u32,
    pub max_flows: u32,
    pub blocked: Vec<String>,
    pub busy: bool,
    pub retry_after_s: u32,
    pub packets_per_flow: RateOption,
    pub bytes_per_flow: RateOption,
    pub flows: u32,
    pub pending: u32,
    /// Connect tokens remembered until they expire, and room for them.
    pub tokens: u32,
    pub tokens_max: u32,
    /// Left in the bucket now; Infinity without a limit.
    pub token_opens_left: f64,
    pub handshakes_left: f64,
    /// Source prefixes that have spent some of their budget, and room for them.
    pub prefixes: u32,
    pub prefixes_max: u32,
    /// Budgets of prefixes that were forgotten early for want of room.
    pub prefixes_evicted: f64,
}

impl AdmissionStatus {
    /// Adds what the server of another thread holds; buckets and settings are shared.
    pub fn with(self, other: &Self) -> Self {
        Self {
            flows: self.flows + other.flows,
            pending: self.pending + other.pending,
            ..self
        }
    }
}

/// `base` with what `options` name.
pub fn settings_of(
    base: AdmissionSettings,
    options: &AdmissionOptions,
) -> Result<AdmissionSettings> {
    Ok(AdmissionSettings {
        token_opens: rate_of(&options.token_opens, "tokenOpens", base.token_opens)?,
        handshakes: rate_of(&options.handshakes, "handshakes", base.handshakes)?,
        handshakes_per_prefix: rate_of(
            &options.handshakes_per_prefix,
            "handshakesPerPrefix",
            base.handshakes_per_prefix,
        )?,
        max_pending: whole_of(options.max_pending, "maxPending", base.max_pending)?,
        max_flows: match options.max_flows {
            Some(flows) => Some(whole_of(Some(flows), "maxFlows", 0)?),
            None => base.max_flows,
        },
        blocked: match &options.blocked {
            Some(texts) => prefixes_of(texts)?,
            None => base.blocked,
        },
        busy: options.busy.unwrap_or(base.busy),
        retry_after_s: whole_of(
            options.retry_after_s,
            "retryAfterS",
            u32::from(base.retry_after_s),
        )?
        .try_into()
        .map_err(|_| refused("retryAfterS", "is over 65535"))?,
        packets_per_flow: rate_of(
            &options.packets_per_flow,
            "packetsPerFlow",
            base.packets_per_flow,
        )?,
        bytes_per_flow: rate_of(&options.bytes_per_flow, "bytesPerFlow", base.bytes_per_flow)?,
    })
}

pub fn set_admission<I: Io>(endpoint: &mut Endpoint<I>, options: &AdmissionOptions) -> Result<()> {
    let server = endpoint.server().ok_or_else(admits_nobody)?;
    let settings = settings_of(server.admission().settings(), options)?;
    endpoint.set_admission(settings).map_err(refusal_of)
}

pub fn refusal_of(error: AdmissionError) -> Failure {
    refused(&camel_case(error.name()), &error.accepted())
}

pub fn status<I: Io>(endpoint: &mut Endpoint<I>) -> Result<AdmissionStatus> {
    let server = endpoint.server().ok_or_else(admits_nobody)?;
    let settings = server.admission().settings();
    let gauges = (server.gauges(), server.admission_gauges());
    Ok(status_of(&settings, gauges))
}

fn status_of(
    settings: &AdmissionSettings,
    (server, admission): (ServerGauges, AdmissionGauges),
) -> AdmissionStatus {
    AdmissionStatus {
        token_opens: option_of(settings.token_opens),
        handshakes: option_of(settings.handshakes),
        handshakes_per_prefix: option_of(settings.handshakes_per_prefix),
        max_pending: settings.max_pending,
        max_flows: server.max_flows as u32,
        blocked: settings.blocked.iter().map(Cidr::to_string).collect(),
        busy: settings.busy,
        retry_after_s: u32::from(settings.retry_after_s),
        packets_per_flow: option_of(settings.packets_per_flow),
        bytes_per_flow: option_of(settings.bytes_per_flow),
        flows: server.flows as u32,
        pending: server.pending as u32,
        tokens: server.token_history as u32,
        tokens_max: server.token_history_capacity as u32,
        token_opens_left: left_of(admission.token_opens_left),
        handshakes_left: left_of(admission.handshakes_left),
        prefixes: admission.prefixes as u32,
        prefixes_max: admission.prefix_capacity as u32,
        prefixes_evicted: admission.prefixes_evicted as f64,
    }
}

fn option_of(rate: Option<Rate>) -> RateOption {
    let (per_second, burst) = rate.map_or((f64::INFINITY, f64::INFINITY), |rate| {
        (f64::from(rate.per_s), f64::from(rate.burst))
    });
    RateOption { per_second, burst }
}

fn left_of(tokens: Option<u32>) -> f64 {
    tokens.map_or(f64::INFINITY, f64::from)
}

fn rate_of(option: &Option<RateOption>, name: &str, base: Option<Rate>) -> Result<Option<Rate>> {
    let Some(option) = option else {
        return Ok(base);
    };
    if option.per_second == f64::INFINITY {
        return Ok(None);
    }
    let part = |value: f64, part: &str| whole_of(Some(value), &format!("{name}.{part}"), 0);
    Ok(Some(Rate::new(
        part(option.per_second, "perSecond")?,
        part(option.burst, "burst")?,
    )))
}

/// N-API would wrap, cut or zero what is no u32.
fn whole_of(value: Option<f64>, name: &str, base: u32) -> Result<u32> {
    match value {
        None => Ok(base),
        Some(value) if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) => {
            Ok(value as u32)
        }
        Some(value) => Err(refused(
            name,
            &format!("is {value}, not a whole number from 0 to 4294967295"),
        )),
    }
}

fn prefixes_of(texts: &[String]) -> Result<Vec<Cidr>> {
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            text.parse().map_err(|error| {
                refused(&format!("blocked[{index}]"), &format!("'{text}': {error}"))
            })
        })
        .collect()
}

/// The name that JavaScript gives to what the core calls `like-this`.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('-');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (first, rest) = part.split_at(part.len().min(1));
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
    }
    out
}

fn refused(name: &str, why: &str) -> Failure {
    bad_option(format!("admission.{name} {why}"))
}

fn admits_nobody() -> Failure {
    Failure::new(Code::BadOption, "a client endpoint admits nobody")
}
