//! Signalling, media, channel and goodbye.

use mxdoctor_probes::conference::Gone;
use mxdoctor_probes::focus::{FocusError, JoinError};
use mxdoctor_probes::jingle::JingleError;
use mxdoctor_probes::xmpp::{LoginError, StreamError, XmppError};

use super::super::{bridge_channel, cleanup, focus, media, muc, services, session, xmpp_login};
use super::*;
use crate::Unavailable;

type Short = (Outcome, Option<&'static str>);

/// What a stage says, or who keeps it from looking.
fn stage(judged: Result<Finding, Unavailable>) -> Result<Short, &'static str> {
    judged.map(|finding| short(&finding)).map_err(|by| by.owner)
}

#[test]
fn a_healthy_conference_passes_every_stage() {
    let held = healthy();
    let all = [
        Ok(xmpp_login::judge(&held)),
        services::judge(&held),
        focus::judge(&held),
        muc::judge(&held),
        session::judge(&held),
        Ok(media::judge(&held)),
        Ok(bridge_channel::judge(&held, |_| true)),
        cleanup::judge(&held),
    ];
    for judged in all {
        let finding = judged.expect("not blocked");
        assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
        assert!(
            finding.evidence.iter().any(|it| it.text.contains("guest A"))
                || finding.cause.is_none()
        );
    }
    let finding = media::judge(&held);
    for metric in ["loss_ratio", "jitter", "first_media_ms"] {
        assert!(finding.metrics.iter().any(|it| it.name == metric), "{metric}");
    }
}

#[test]
fn logins_that_fail_have_their_cause_and_block_the_rest() {
    let login = |make: fn() -> LoginError| changed(move |guest| guest.login = Some(Err(make())));
    let unknown = login(|| LoginError::HostUnknown {
        domain: "meet.jitsi".into(),
        error: StreamError { condition: "host-unknown".into(), text: None },
    });
    assert_eq!(short(&xmpp_login::judge(&unknown)), fails("xmpp-domain-mismatch"));
    assert_eq!(stage(focus::judge(&unknown)), Err("jitsi.xmpp_login"));
    assert_eq!(stage(session::judge(&unknown)), Err("jitsi.xmpp_login"));
    let none = login(|| LoginError::NoMechanisms { said: None });
    assert_eq!(short(&xmpp_login::judge(&none)), fails("xmpp-no-mechanisms"));
    let broken = login(|| LoginError::Stream(XmppError::Closed));
    assert_eq!(short(&xmpp_login::judge(&broken)), fails("xmpp-stream-broken"));
    let ours = login(|| LoginError::Ours("no randomness".into()));
    assert_eq!(xmpp_login::judge(&ours).outcome, Outcome::Error);
}

#[test]
fn a_deployment_that_wants_a_login_is_skipped_and_says_what_it_needs() {
    let not_offered = || {
        let mut opened = opened();
        opened.features.mechanisms = vec!["PLAIN".into()];
        LoginError::NotOffered { wanted: "ANONYMOUS", opened: Box::new(opened) }
    };
    let mut held = changed(|guest| guest.login = Some(Err(not_offered())));
    let finding = xmpp_login::judge(&held);
    assert_eq!(finding.outcome, Outcome::Skip);
    assert!(finding.remedy.is_some_and(|remedy| remedy.contains("jitsi.user")));
    // Guests are meant to come, and none is let in.
    let mut places = XmppPlaces::clone(&held.places);
    places.for_guests = true;
    held.places = Arc::new(places);
    assert_eq!(short(&xmpp_login::judge(&held)), fails("guests-not-allowed"));
    // Our own password is no failure of theirs.
    let mut held = changed(|guest| {
        let condition = "not-authorized".to_owned();
        let mechanism = "SCRAM-SHA-1";
        guest.login = Some(Err(LoginError::Refused { mechanism, condition, text: None }));
    });
    assert_eq!(xmpp_login::judge(&held).outcome, Outcome::Skip);
    held.visitor = Visitor::Account;
    let wrong = (Outcome::Error, Some("jitsi-password-wrong"));
    assert_eq!(short(&xmpp_login::judge(&held)), wrong);
    held.visitor = Visitor::Token;
    assert_eq!(xmpp_login::judge(&held).cause, Some("jitsi-token-refused"));
}

#[test]
fn missing_components_are_a_warning() {
    let held = changed(|guest| {
        if let Some(Ok(info)) = &mut guest.components {
            info.identities.retain(|identity| identity.kind != "polls");
        }
    });
    let finding = services::judge(&held).expect("looked at");
    assert_eq!(short(&finding), (Outcome::Warn, Some("components-missing")));
    assert!(finding.summary.contains("polls"), "{}", finding.summary);
}

#[test]
fn each_answer_of_the_focus_has_its_cause() {
    let cause = |error: FocusError| {
        let held = changed(|guest| guest.focus = vec![Err(error.clone())]);
        assert_eq!(stage(muc::judge(&held)), Err("jitsi.focus"));
        short(&focus::judge(&held).expect("looked at"))
    };
    let unavailable = FocusError::Unavailable(error("service-unavailable"));
    assert_eq!(cause(unavailable), fails("jicofo-unavailable"));
    let absent = FocusError::Absent(error("item-not-found"));
    assert_eq!(cause(absent), fails("focus-component-missing"));
    let login = FocusError::NotAuthorized(error("not-authorized"));
    assert_eq!(cause(login), (Outcome::Skip, None));
    let reservation = |code: Option<&str>| FocusError::Reservation {
        code: code.map(str::to_owned),
        error: error("not-allowed"),
    };
    assert_eq!(cause(reservation(Some("404"))), (Outcome::Skip, None));
    assert_eq!(cause(reservation(Some("503"))), fails("reservation-unreachable"));
    assert_eq!(cause(FocusError::Garbled("x".into())), (Outcome::Error, None));
    let silent = changed(|guest| {
        guest.focus.clear();
        guest.focus_silent = Some(ms(20_000));
    });
    assert_eq!(stage(focus::judge(&silent)), Ok(fails("focus-stuck")));
}

#[test]
fn each_refusal_of_a_room_has_its_cause() {
    let cause = |error: JoinError| {
        let held = changed(|guest| guest.joined = Some(Err(error.clone())));
        assert_eq!(stage(session::judge(&held)), Err("jitsi.muc"));
        assert_eq!(stage(cleanup::judge(&held)), Err("jitsi.muc"));
        short(&muc::judge(&held).expect("looked at"))
    };
    let not_allowed = || error("not-allowed");
    assert_eq!(
        cause(JoinError::CreationRestricted(not_allowed())),
        fails("room-creation-restricted")
    );
    assert_eq!(cause(JoinError::NotAllowed(not_allowed())), fails("room-refused"));
    assert_eq!(cause(JoinError::MaxUsers(not_allowed())), fails("room-full"));
    assert_eq!(cause(JoinError::NoService(not_allowed())), fails("muc-missing"));
    assert_eq!(cause(JoinError::RateLimit(not_allowed())), fails("xmpp-rate-limited"));
    assert_eq!(cause(JoinError::Conflict(not_allowed())), (Outcome::Error, None));
    let lobby = JoinError::MembersOnly {
        lobby: Some("lobby.meet.jitsi".into()),
        waiting_for_host: false,
        error: not_allowed(),
    };
    for by_design in [
        lobby,
        JoinError::Password(not_allowed()),
        JoinError::AuthenticationRequired(not_allowed()),
    ] {
        assert_eq!(cause(by_design), (Outcome::Skip, None));
    }
}

#[test]
fn what_is_not_in_the_room_is_named() {
    let uninvited = |guest: &mut Guest| {
        guest.invitations.clear();
        guest.invitation_silent = Some(ms(20_000));
        guest.way = None;
    };
    let cause = |change: fn(&mut Guest)| {
        let held = changed(|guest| {
            uninvited(guest);
            change(guest);
        });
        stage(muc::judge(&held))
    };
    let no_bridge = cause(|guest| {
        guest.focus_presence = Some(FocusPresence::default());
    });
    assert_eq!(no_bridge, Ok(fails("bridge-unavailable")));
    let mut ill = changed(uninvited);
    ill.conference.guests[0].focus_presence = Some(FocusPresence::default());
    ill.health = Some(mxdoctor_probes::colibri::Health {
        status: http::StatusCode::INTERNAL_SERVER_ERROR,
        text: "Failed to bind single-port".into(),
        line: "GET /about/health".into(),
    });
    assert_eq!(stage(muc::judge(&ill)), Ok(fails("bridge-unhealthy")));
    assert_eq!(cause(|guest| guest.focus_presence = None), Ok(fails("focus-not-in-room")));
    assert_eq!(cause(|guest| guest.saw_other = false), Ok(fails("rooms-not-shared")));
    let unanswered = cause(|guest| {
        guest.joined = None;
        guest.join_silent = Some(ms(10_000));
    });
    assert_eq!(unanswered, Ok(fails("focus-not-in-room")));
    let broken = cause(|guest| {
        guest.joined = None;
        guest.broken = Some(XmppError::Closed);
    });
    assert_eq!(broken, Ok(fails("xmpp-stream-broken")));
    let silent = changed(uninvited);
    assert_eq!(stage(session::judge(&silent)), Ok(fails("focus-does-not-invite")));
    assert_eq!(session::obstacle(&silent).owner, "jitsi.session");
}

#[test]
fn sessions_that_break_have_their_cause() {
    let cause = |change: fn(&mut Guest)| stage(session::judge(&changed(change)));
    let garbled = cause(|guest| guest.invitations = vec![Err(JingleError::NoFingerprint)]);
    assert_eq!(garbled, Ok(fails("offer-unusable")));
    let refused = cause(|guest| guest.accepted = Some(Err(error("bad-request"))));
    assert_eq!(refused, Ok(fails("accept-refused")));
    let ended = cause(|guest| {
        guest.terminated = Some((Some("gone".into()), None));
        guest.steps.retain(|(step, _)| *step < Step::Heard);
    });
    assert_eq!(ended, Ok(fails("bridge-unstable")));
    let again = cause(|guest| guest.invitations = vec![Ok(offer()), Ok(offer())]);
    assert_eq!(again, Ok((Outcome::Warn, Some("bridge-unstable"))));
    let often = cause(|guest| guest.invitations = vec![Ok(offer()), Ok(offer()), Ok(offer())]);
    assert_eq!(often, Ok(fails("bridge-unstable")));
}

#[test]
fn what_is_not_heard_is_told_apart() {
    let deaf = |guest: &mut Guest| {
        let heard = &mut guest.media.as_mut().expect("media").audio.heard;
        (heard.received, heard.numbers) = (0, None);
    };
    assert_eq!(short(&media::judge(&changed(deaf))), fails("media-silent"));
    let mut one = healthy();
    deaf(&mut one.conference.guests[1]);
    let finding = media::judge(&one);
    assert_eq!(short(&finding), fails("media-one-way"));
    assert!(finding.summary.contains("B does not hear A"), "{}", finding.summary);
    let lossy = |received| {
        let held = changed(|guest| {
            guest.media.as_mut().expect("media").audio.heard.received = received;
        });
        short(&media::judge(&held))
    };
    assert_eq!(lossy(60), (Outcome::Pass, None));
    assert_eq!(lossy(50), (Outcome::Warn, Some("media-lossy")));
    assert_eq!(lossy(20), fails("media-lossy"));
    let cut = changed(|guest| guest.media.as_mut().expect("media").audio.sent = 400);
    assert_eq!(short(&media::judge(&cut)), fails("media-lossy"));
}

/// Jicofo has the bridge silence a guest whom moderation lets not speak, and says so to it.
#[test]
fn who_begins_muted_is_no_fault_of_the_bridge() {
    let mute = |guest: &mut Guest| {
        let invitation = guest.invitations[0].as_mut().expect("an offer");
        invitation.start_muted = Some(jingle::StartMuted { audio: true, video: true });
    };
    let deaf = |guest: &mut Guest| {
        let heard = &mut guest.media.as_mut().expect("media").audio.heard;
        (heard.received, heard.numbers) = (0, None);
    };
    let mut held = healthy();
    mute(&mut held.conference.guests[1]);
    assert_eq!(short(&media::judge(&held)), (Outcome::Pass, None));
    deaf(&mut held.conference.guests[0]);
    let finding = media::judge(&held);
    assert_eq!(short(&finding), (Outcome::Skip, None));
    assert!(finding.summary.contains("guest B begins muted"), "{}", finding.summary);
    deaf(&mut held.conference.guests[1]);
    assert_eq!(short(&media::judge(&held)), fails("media-silent"));
    let mut held = healthy();
    mute(&mut held.conference.guests[1]);
    deaf(&mut held.conference.guests[1]);
    assert_eq!(short(&media::judge(&held)), fails("media-one-way"));
}

#[test]
fn video_that_nobody_gets_is_named() {
    let held = changed(|guest| {
        let flow = mxdoctor_probes::media::Flow { sent: 20, ..Default::default() };
        guest.media.as_mut().expect("media").video = Some(flow);
    });
    assert_eq!(short(&media::judge(&held)), fails("last-n-zero"));
    let mut held = healthy();
    let mut places = XmppPlaces::clone(&held.places);
    places.last_n = Some(0);
    held.places = Arc::new(places);
    assert_eq!(short(&media::judge(&held)), (Outcome::Warn, Some("last-n-zero")));
}

#[test]
fn a_channel_that_is_not_there_or_mute_is_named() {
    let cause = |change: fn(&mut Guest)| short(&bridge_channel::judge(&changed(change), |_| true));
    let none = cause(|guest| {
        if let Ok(offer) = &mut guest.invitations[0] {
            offer.transport.sctp_port = None;
        }
        guest.data_channel = None;
    });
    assert_eq!(none, fails("bridge-channel-unavailable"));
    let closed = cause(|guest| guest.data_channel = Some(Talk::default()));
    assert_eq!(closed, fails("bridge-channel-unavailable"));
    let mute = cause(|guest| guest.data_channel = Some(Talk { heard: None, ..talk() }));
    assert_eq!(mute, fails("bridge-channel-silent"));
    let half = cause(|guest| {
        if let Ok(offer) = &mut guest.invitations[0] {
            let url = "wss://meet.example.org/colibri-ws/jvb/1/2".parse().expect("a URL");
            offer.transport.web_sockets.push(url);
        }
        guest.bridge_socket = Some(Talk::default());
    });
    assert_eq!(half, (Outcome::Warn, Some("bridge-channel-unavailable")));
}

#[test]
fn a_socket_that_is_meant_for_others_is_no_matter() {
    let alone = changed(|guest| {
        if let Ok(offer) = &mut guest.invitations[0] {
            let url = "wss://meet.example.org/colibri-ws/jvb/1/2".parse().expect("a URL");
            offer.transport.web_sockets.push(url);
            offer.transport.sctp_port = None;
        }
        guest.data_channel = None;
        guest.bridge_socket = Some(Talk::default());
    });
    assert_eq!(short(&bridge_channel::judge(&alone, |_| false)), (Outcome::Skip, None));
    assert_eq!(
        short(&bridge_channel::judge(&alone, |_| true)),
        fails("bridge-channel-unavailable")
    );
}

#[test]
fn a_room_that_stays_is_named() {
    let mut held = healthy();
    held.conference.gone = Some(Gone::Still(ms(5000)));
    assert_eq!(stage(cleanup::judge(&held)), Ok(fails("room-left-behind")));
    held.conference.gone = Some(Gone::Unknown("no answer".into()));
    assert_eq!(stage(cleanup::judge(&held)), Ok((Outcome::Error, None)));
}
