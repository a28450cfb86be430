//! A TURN message, and the frames of a stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::turn::{Frame, Message, next_frame};

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Some((frame, taken))) = next_frame(rest) {
        assert!(taken > 0 && taken <= rest.len());
        if let Frame::Message(message) = frame {
            let _ = Message::decode(message);
        }
        rest = &rest[taken..];
    }
    if let Some(mut message) = Message::decode(bytes)
        && let Ok(again) = message.encode(Some(b"key"))
    {
        message.signed = true;
        // Texts that are no UTF-8 and codes beyond the range come back as the nearest that is.
        let again = Message::decode(&again).expect("our own message is readable");
        assert_eq!((again.method, again.class), (message.method, message.class));
        assert_eq!(again.attributes.peer, message.attributes.peer);
    }
});
