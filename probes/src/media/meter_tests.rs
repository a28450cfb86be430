use super::*;

#[test]
fn reports_count_over_the_end_of_the_sequence_numbers() {
    let now = Instant::now();
    let tag = |number| Tag { run: [1; 8], from: [2; 8], number, sent: 0 };
    let mut heard = Heard::default();
    let mut meter = Meter::new(7, [1; 8], 48_000, Tag::of_audio);
    assert_eq!(meter.report(now, &heard), None);
    for (sequence, number) in [(65_534, 0), (65_535, 1), (1, 3), (2, 4)] {
        let payload = tag(number).as_audio();
        meter.take(now, &Packet { sequence, payload, ..Packet::default() }, &mut heard);
    }
    let report = meter.report(now, &heard).expect("heard");
    assert_eq!((report.highest, report.lost, report.fraction), (0x1_0002, 1, 51));
    assert_eq!((report.last_report, report.delay), (0, 0));
    // Nothing since: nothing lost since.
    assert_eq!(meter.report(now, &heard).expect("heard").fraction, 0);
    assert_eq!((heard.lost(), heard.numbers), (1, Some((0, 4))));
}

#[test]
fn numbers_are_bounded() {
    let mut heard = Heard::default();
    let tag = Tag { run: [1; 8], from: [2; 8], number: u32::MAX, sent: 0 };
    heard.take(Instant::now(), &tag, 1);
    assert_eq!((heard.corrupt, heard.received, heard.seen.len()), (1, 0, 0));
    assert_eq!(heard.lost_of(0..u32::MAX), u32::MAX);
}
