//! 中文。

use super::super::families::Cause;
use super::super::text::span_zh as span;
use super::super::vocabulary::{AnswerKind, RaceKind, VerdictPhase};
use super::{OddBye, Told};
use crate::party::{Agent, Side};

/// 一句话的结论。
pub(super) fn sentence(told: &Told) -> String {
    let body = match told.cause {
        Cause::Hangup => hangup(told),
        Cause::Cancelled => cancelled(told),
        Cause::NoAnswer => no_answer(told),
        Cause::Busy
        | Cause::BusyEverywhere
        | Cause::Declined
        | Cause::Unavailable
        | Cause::DoNotDisturb
        | Cause::Unwanted => refused(told),
        Cause::EngineLost | Cause::StorageFailed | Cause::InternalError => crashed(told),
        Cause::Alive => alive(told),
        cause => format!("{}{}", plain(cause, told), status(told)),
    };
    format!("{body}{}。", hidden(told))
}

fn hangup(told: &Told) -> String {
    let when = match (told.phase, told.kind, told.talk_ms) {
        (VerdictPhase::Answering, _, _) => "刚接听、尚未收到 ACK 时，".to_owned(),
        (_, Some(AnswerKind::Announcement), Some(ms)) => format!("听了 {}提示音后，", span(ms)),
        (_, Some(AnswerKind::Automaton), Some(ms)) => format!("自动应答 {}后，", span(ms)),
        (VerdictPhase::Held, _, Some(ms)) => format!("通话 {}后，在保持状态下，", span(ms)),
        (_, _, Some(ms)) => format!("通话 {}后，", span(ms)),
        (_, _, None) => String::new(),
    };
    let bye = match told.bye {
        Some(OddBye::Unanswered) => "，对端始终没有应答 BYE".to_owned(),
        Some(OddBye::Answered(status)) => format!("，对端以 {status} 应答 BYE"),
        None => String::new(),
    };
    if told.side == Side::Both {
        return format!("{when}双方同时挂断{bye}");
    }
    format!("{when}{}挂断{bye}", actor(told))
}

fn cancelled(told: &Told) -> String {
    if told.unsent {
        return format!("{}在呼叫发出之前就放弃了", actor(told));
    }
    let when = match (told.phase, told.kind, told.ring_ms) {
        (VerdictPhase::EarlyMedia, Some(AnswerKind::Announcement), _) => "在播放提示音时".to_owned(),
        (VerdictPhase::EarlyMedia, _, Some(ms)) => format!("在早期媒体持续 {}后", span(ms)),
        (VerdictPhase::Ringing, _, Some(ms)) => format!("在振铃 {}后", span(ms)),
        _ => "在对方振铃之前".to_owned(),
    };
    let race = if told.raced(RaceKind::CancelVs200) {
        "；接听与取消擦肩而过，接通后立即拆除"
    } else if told.raced(RaceKind::RejectVsCancel) {
        "；取消与对方的拒接擦肩而过"
    } else if told.no_final {
        "；此后一直没有等到最终响应"
    } else {
        ""
    };
    format!("{}{when}取消了呼叫{race}", actor(told))
}

fn no_answer(told: &Told) -> String {
    let rang = match told.ring_ms {
        Some(ms) => format!("振铃 {}", span(ms)),
        None => String::new(),
    };
    let whose = match told.side {
        Side::Caller => "，主叫侧等待超时",
        Side::Callee => "，被叫侧超时",
        Side::Network => "，网络侧超时",
        Side::Both | Side::Nobody | Side::Unknown => "",
    };
    let race = if told.raced(RaceKind::TimerVsAnswer) { "；接听来得太晚，已被拆除" } else { "" };
    format!("{rang}无人接听{whose}{}{race}", status(told))
}

fn refused(told: &Told) -> String {
    let body = match (told.cause, told.agent, told.side) {
        (Cause::Busy, _, _) => "被叫忙",
        (Cause::BusyEverywhere, _, _) => "被叫的所有终端都忙",
        (Cause::Declined, Agent::User, _) => "被叫用户拒接",
        (Cause::Declined, Agent::Application, _) => "被叫侧的应用程序拒接",
        (Cause::Declined, _, _) => "被叫拒接",
        (Cause::Unavailable, _, Side::Network) => "网络侧告知被叫暂时无法接通",
        (Cause::Unavailable, _, _) => "被叫暂时无法接通",
        (Cause::DoNotDisturb, _, _) => "被叫已开启免打扰，没有振铃",
        (_, _, _) => "被叫不愿接听此主叫的来电",
    };
    if let Some(ms) = told.late_busy_ms {
        return format!("{body}，也可能是话机振铃 {}后自动放弃{}", span(ms), status(told));
    }
    let media = if told.phase == VerdictPhase::EarlyMedia { "，之前播放过早期媒体" } else { "" };
    format!("{body}{media}{}", status(told))
}

fn crashed(told: &Told) -> String {
    let what = match told.cause {
        Cause::StorageFailed => "日志存储失败",
        Cause::InternalError => "引擎在处理该呼叫时出现内部错误",
        _ => "引擎崩溃",
    };
    let phase = match told.phase {
        VerdictPhase::Setup => "呼叫建立过程中",
        VerdictPhase::Ringing => "振铃过程中",
        VerdictPhase::EarlyMedia => "播放早期媒体时",
        VerdictPhase::Answering => "刚接听时",
        VerdictPhase::Connected => "通话过程中",
        VerdictPhase::Held => "通话保持过程中",
        VerdictPhase::Ending => "呼叫结束过程中",
    };
    match told.interval {
        Some((from, until)) => format!("{phase}{what}，呼叫在 {from} 至 {until} 之间结束"),
        None => format!("{phase}{what}"),
    }
}

fn alive(told: &Told) -> String {
    match told.phase {
        VerdictPhase::Setup => "呼叫正在建立",
        VerdictPhase::Ringing => "正在振铃",
        VerdictPhase::EarlyMedia => "尚未接听，正在播放早期媒体",
        VerdictPhase::Answering => "已接听，正在等待 ACK",
        VerdictPhase::Connected => "正在通话",
        VerdictPhase::Held => "通话保持中",
        VerdictPhase::Ending => "呼叫正在结束",
    }
    .to_owned()
}

/// 不需要说明经过的原因。
fn plain(cause: Cause, told: &Told) -> String {
    match cause {
        Cause::ConferenceEnded => "会议已结束",
        Cause::AnsweredElsewhere => "来电已在其他设备上接听",
        Cause::DeclinedElsewhere => "来电已在其他设备上拒接",
        Cause::PickedUp => "来电被他人代接",
        Cause::ForkLost => "呼叫的另一分支先被接听",
        Cause::Redirected => "被叫侧把呼叫转向了别处",
        Cause::RedirectFailed => "呼叫被转向别处，但无处可接通",
        Cause::Transferred => "通话已转接",
        Cause::Replaced => "该通话被另一路通话取代",
        Cause::NotFound => "被叫号码不存在",
        Cause::Gone => "被叫号码已停用",
        Cause::BadNumber => "被叫号码不完整或有歧义",
        Cause::NoRoute => "网络找不到通往被叫的路由",
        Cause::NotRegistered => "被叫未注册，没有振铃",
        Cause::DnsFailed => "被叫地址解析失败",
        Cause::BadUri => "被叫地址无法使用",
        Cause::OutOfService => "被叫线路故障",
        Cause::AuthFailed => "主叫的身份认证未通过",
        Cause::Forbidden => "呼叫被禁止",
        Cause::PaymentRequired => "该呼叫需要付费",
        Cause::Screened => "呼叫被中间方拦截",
        Cause::IdentityRejected => "主叫身份未被认可",
        Cause::Barred => "此类呼叫已被限制",
        Cause::RateLimited => "短时间内呼叫次数过多",
        Cause::MediaRejected => "双方没有共同的媒体能力",
        Cause::ExtensionRequired => "一端要求的扩展不受支持",
        Cause::EncryptionRequired => "一端要求加密",
        Cause::IntervalTooSmall => "会话刷新间隔对另一端而言太短",
        Cause::MessageTooLarge => "消息过大",
        Cause::MissingMedia => "缺少会话描述",
        Cause::ServiceUnavailable => "服务器过载或停止服务",
        Cause::ServerError => "服务器出错",
        Cause::GatewayTimeout => "服务器等待下游响应超时",
        Cause::Congestion => "网络拥塞",
        Cause::PreconditionFailed => "通话所需的资源预留失败",
        Cause::NoResponse => return no_response(told),
        Cause::AckMissing => "接听一直没有得到 ACK 确认，被叫侧结束了呼叫",
        Cause::PrackMissing => "可靠临时响应一直没有得到确认",
        Cause::FinalMissing => "呼叫已在处理，但始终没有最终响应",
        Cause::TransportFailed => "消息发送失败",
        Cause::SessionExpired => "会话未按时刷新",
        Cause::DialogGone => "对端已不认识这路通话",
        Cause::KeepaliveLost => "保活没有得到应答",
        Cause::MediaTimeout => "不再收到媒体流",
        Cause::IceFailed => "找不到可用的媒体路径",
        Cause::MediaSecurityFailed => "媒体加密失败",
        Cause::ConsentExpired => "媒体发送许可未续期",
        Cause::DeviceFailed => "声音设备故障",
        Cause::MaxDuration => "通话达到最长时限",
        Cause::CreditExhausted => "余额用尽",
        Cause::MaxCalls => "被叫侧已达到并发呼叫上限，没有振铃",
        Cause::Preempted => "资源被更重要的呼叫占用",
        Cause::Idle => "通话长时间没有活动",
        Cause::Malformed => "消息无法理解",
        Cause::DialogMismatch => "消息不属于对端已知的任何呼叫",
        Cause::MergedRequest => "同一呼叫从两条路径同时到达",
        Cause::GlareUnresolved => "双方不断同时修改通话",
        Cause::MethodRefused => "对端不支持此类请求",
        Cause::Unsolicited => "收到了无人请求的消息",
        Cause::AdminKill => "管理员结束了呼叫",
        Cause::Shutdown => "引擎关闭",
        Cause::ResourcesExhausted => "引擎资源耗尽",
        Cause::ApplicationLost => "应用程序已退出",
        Cause::RecordGap => "记录中没有这路呼叫的结束",
        Cause::CaptureEnded => "抓包在呼叫结束之前就停止了",
        Cause::Contradictory => "证据互相矛盾",
        Cause::Hangup
        | Cause::Cancelled
        | Cause::NoAnswer
        | Cause::Busy
        | Cause::BusyEverywhere
        | Cause::Declined
        | Cause::Unavailable
        | Cause::DoNotDisturb
        | Cause::Unwanted
        | Cause::EngineLost
        | Cause::StorageFailed
        | Cause::InternalError
        | Cause::Alive => "呼叫已结束",
    }
    .to_owned()
}

fn no_response(told: &Told) -> String {
    match told.status {
        Some(_) => "网络没有得到被叫侧的响应，没有振铃".to_owned(),
        None => "始终没有任何响应，无法得知对方是否存在".to_owned(),
    }
}

fn actor(told: &Told) -> String {
    let side = match told.side {
        Side::Caller => "主叫",
        Side::Callee => "被叫",
        Side::Network if told.agent == Agent::Automaton => return machine(told).to_owned(),
        Side::Network => "网络侧",
        Side::Both => "双方",
        Side::Nobody => "无人",
        Side::Unknown => "不明一方",
    };
    match told.agent {
        Agent::Application => format!("{side}侧的应用程序"),
        Agent::Administrator => format!("{side}侧的管理员"),
        Agent::Timer => format!("{side}侧的定时器"),
        Agent::Automaton => format!("{side}侧的自动设备"),
        Agent::Engine => format!("{side}侧的引擎"),
        Agent::User | Agent::Unknown => side.to_owned(),
    }
}

fn machine(told: &Told) -> &'static str {
    match told.kind {
        Some(AnswerKind::Automaton) => "自动应答设备",
        Some(AnswerKind::Announcement | AnswerKind::Party | AnswerKind::Unknown) | None => "提示音服务器",
    }
}

fn status(told: &Told) -> String {
    match told.status {
        Some(status) if status >= 300 && status != 487 => format!("（{status}）"),
        Some(_) | None => String::new(),
    }
}

fn hidden(told: &Told) -> &'static str {
    match told.underlying {
        Some(Cause::Busy) => "；真正的原因是被叫忙",
        Some(Cause::Declined) => "；真正的原因是被叫拒接",
        Some(Cause::NoAnswer) => "；真正的原因是无人接听",
        Some(_) | None => "",
    }
}
