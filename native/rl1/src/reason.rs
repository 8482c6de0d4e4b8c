//! Why a packet was refused (rl1.md §10).

/// A packet with a reason changed nothing, except that some reasons end the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    FlowClosed,
    ParamsMalformed,
    ParamsUnexpected,
    BeforeParams,
    HeaderTruncated,
    HeaderMalformed,
    AckNonCanonical,
    PacketDuplicate,
    PacketOld,
    AckNeverSent,
    FrameCount,
    FrameUnknown,
    FrameTruncated,
    FrameNonCanonical,
    ChannelRange,
    FragmentMalformed,
    MessageTooLarge,
    CloseMalformed,
    SenderRule,
}

impl Reason {
    /// The name in the document and in the counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FlowClosed => "flow-closed",
            Self::ParamsMalformed => "params-malformed",
            Self::ParamsUnexpected => "params-unexpected",
            Self::BeforeParams => "before-params",
            Self::HeaderTruncated => "header-truncated",
            Self::HeaderMalformed => "header-malformed",
            Self::AckNonCanonical => "ack-non-canonical",
            Self::PacketDuplicate => "packet-duplicate",
            Self::PacketOld => "packet-old",
            Self::AckNeverSent => "ack-never-sent",
            Self::FrameCount => "frame-count",
            Self::FrameUnknown => "frame-unknown",
            Self::FrameTruncated => "frame-truncated",
            Self::FrameNonCanonical => "frame-non-canonical",
            Self::ChannelRange => "channel-range",
            Self::FragmentMalformed => "fragment-malformed",
            Self::MessageTooLarge => "message-too-large",
            Self::CloseMalformed => "close-malformed",
            Self::SenderRule => "sender-rule",
        }
    }
}
