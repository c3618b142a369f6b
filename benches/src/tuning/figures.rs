//! Numbers and times as people write them.

/// With a comma for each thousand.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The same, rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts saturate, and what is counted is never negative"
)]
pub(super) fn rounded(number: f64) -> String {
    grouped(number.round() as u64)
}

/// A number with as many places as say something.
pub(super) fn short(number: f64) -> String {
    if number >= 100.0 {
        rounded(number)
    } else {
        format!("{number:.1}")
    }
}

/// A share of one.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "<0.1 %".to_owned()
    } else if percent >= 99.95 || percent == 0.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// A time in its two largest units.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts saturate, and times are never negative"
)]
pub(super) fn time(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let seconds = seconds.round() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {:02} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes:02} min"),
        (days, hours, _) => format!("{days} d {hours:02} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(short(2.34), "2.3");
        assert_eq!(short(3_967.8), "3,968");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.0003), "<0.1 %");
        assert_eq!(percent(0.123), "12.3 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(time(0.84), "0.8 s");
        assert_eq!(time(59.0), "59 s");
        assert_eq!(time(252.0), "4 min 12 s");
        assert_eq!(time(3_720.0), "1 h 02 min");
        assert_eq!(time(90_000.0), "1 d 01 h");
    }
}
