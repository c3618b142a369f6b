//! A chart over time as SVG.
//!
//! The plot stretches with the window while its text keeps its size: text and grid are placed in percent, and only the
//! lines are in a stretched view box.

use std::fmt::Write;
use std::time::Duration;

use maud::{Markup, html};

use super::scale::{Clock, Scale, short, time_ticks};

/// The view box of lines. Finer than the pixels of any screen.
const WIDTH: f64 = 10_000.0;
const HEIGHT: f64 = 2_000.0;

/// When each point began and ended.
#[derive(Clone, Debug)]
pub(super) struct TimeAxis {
    pub(super) spans: Vec<(Duration, Duration)>,
}

impl TimeAxis {
    pub(super) fn whole(&self) -> Duration {
        self.spans.last().map_or(Duration::ZERO, |(_, end)| *end)
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::of(self.whole())
    }

    /// The part of the axis before `time`, from 0 to 1.
    fn place(&self, time: f64) -> f64 {
        let whole = self.whole().as_secs_f64();
        if whole > 0.0 {
            (time / whole).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Where each point begins and ends in the view box.
    fn places(&self) -> impl Iterator<Item = (f64, f64)> {
        let place = |time: Duration| self.place(time.as_secs_f64()) * WIDTH;
        self.spans
            .iter()
            .map(move |(start, end)| (place(*start), place(*end)))
    }
}

/// How the values of a chart are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawing {
    /// A line for each.
    Lines,
    /// The same, where values of very different size are to be seen.
    LinesByDecade,
    /// Areas on top of one another.
    Stack,
}

/// One value over time, for each point of the axis; none where there is none.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Which of the colours of the style sheet, from 1.
    pub(super) colour: usize,
    /// What others are measured by, such as a limit.
    pub(super) dashed: bool,
    pub(super) values: Vec<Option<f64>>,
}

/// Values over time, with what they are.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// A name that no other chart of the page has.
    pub(super) id: String,
    pub(super) title: String,
    /// What the values are, with their unit.
    pub(super) unit: String,
    pub(super) drawing: Drawing,
    pub(super) series: Vec<Series>,
    /// Where the axis ends at least.
    pub(super) reaches: Option<f64>,
}

impl Chart {
    pub(super) fn draw(&self, time: &TimeAxis) -> Markup {
        let scale = self.scale();
        let (title, description) = (
            format!("{}-title", self.id),
            format!("{}-description", self.id),
        );
        html! {
            figure id=(self.id) class="chart" {
                figcaption {
                    b { (self.title) }
                    span { (self.unit) ", by " (time.clock().name()) " since the start" }
                }
                div.plot {
                    svg role="img" aria-labelledby={ (title) " " (description) } {
                        title id=(title) { (self.title) }
                        desc id=(description) { (self.describe()) }
                        g.values {
                            @for tick in scale.ticks() {
                                @let height = percent(1.0 - scale.place(tick));
                                line.grid x1="0" x2="100%" y1=(height) y2=(height) {}
                                text x="-8" y=(height) dy="4" text-anchor="end" { (short(tick)) }
                            }
                        }
                        g.times {
                            line.axis x1="0" x2="100%" y1="100%" y2="100%" {}
                            @for tick in time_ticks(time.whole()) {
                                @let place = percent(time.place(tick));
                                line.axis x1=(place) x2=(place) y1="100%" y2="102%" {}
                                text x=(place) y="100%" dy="18" text-anchor="middle" { (time.clock().write(tick)) }
                            }
                        }
                        svg class="data" width="100%" height="100%" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" overflow="visible" {
                            @for path in self.paths(scale, time) { (path) }
                        }
                    }
                }
                ul.legend {
                    @for series in &self.series {
                        li class=(colour(series)) {
                            svg viewBox="0 0 28 12" aria-hidden="true" {
                                @if self.drawing == Drawing::Stack { rect.area width="28" height="12" {} }
                                @else { path class=(line(series)) d="M0 6H28" {} }
                            }
                            (series.name)
                        }
                    }
                }
            }
        }
    }

    fn scale(&self) -> Scale {
        let reaches = self.reaches.into_iter();
        match self.drawing {
            Drawing::Lines => Scale::even(self.values().chain(reaches)),
            Drawing::LinesByDecade => Scale::decades(self.values()),
            Drawing::Stack => {
                let sums = self.tops().last().unwrap_or_default();
                Scale::even(sums.into_iter().chain(reaches))
            }
        }
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.series
            .iter()
            .flat_map(|series| series.values.iter().copied().flatten())
    }

    /// The upper edge of each area of a stack, the lowest first.
    fn tops(&self) -> impl Iterator<Item = Vec<f64>> {
        let points = self.series.iter().map(|series| series.values.len()).max();
        let floor = vec![0.0; points.unwrap_or(0)];
        self.series.iter().scan(floor, |top, series| {
            for (top, value) in top.iter_mut().zip(&series.values) {
                *top += value.unwrap_or(0.0);
            }
            Some(top.clone())
        })
    }

    fn paths(&self, scale: Scale, time: &TimeAxis) -> Vec<Markup> {
        if self.drawing != Drawing::Stack {
            let paths = self.series.iter().map(|series| {
                html! { path class={ (line(series)) " " (colour(series)) } d=(step(&series.values, scale, time)) {} }
            });
            return paths.collect();
        }
        let mut floor: Option<Vec<f64>> = None;
        let paths = self.series.iter().zip(self.tops()).map(|(series, top)| {
            let below = floor
                .replace(top.clone())
                .unwrap_or_else(|| vec![0.0; top.len()]);
            html! { path class={ "area " (colour(series)) } d=(band(&below, &top, scale, time)) {} }
        });
        paths.collect()
    }

    /// The chart in words, for those who do not see it.
    fn describe(&self) -> String {
        let series = self.series.iter().map(|series| {
            let values = || series.values.iter().copied().flatten();
            let count = values().count();
            if count == 0 {
                return format!("{}: none", series.name);
            }
            let (least, most) = (
                values().fold(f64::INFINITY, f64::min),
                values().fold(0.0, f64::max),
            );
            let (least, most) = (rounded(least), rounded(most));
            format!("{}: {least} to {most}", series.name)
        });
        format!("{}. {}.", self.unit, series.collect::<Vec<_>>().join("; "))
    }
}

fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

/// A value as it is read: whole where it is large.
pub(super) fn rounded(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else {
        short((value * 10.0).round() / 10.0)
    }
}

fn colour(series: &Series) -> String {
    format!("c{}", series.colour)
}

fn line(series: &Series) -> &'static str {
    if series.dashed { "line dashed" } else { "line" }
}

/// A level for each point and a step between them, with gaps where there is no value.
fn step(values: &[Option<f64>], scale: Scale, time: &TimeAxis) -> String {
    let mut path = String::new();
    let mut drawn = false;
    for ((start, end), value) in time.places().zip(values) {
        if let Some(value) = value {
            let height = height(*value, scale);
            // Writing to a string cannot fail.
            let _infallible = if drawn {
                write!(path, "V{height:.0}H{end:.0}")
            } else {
                write!(path, "M{start:.0} {height:.0}H{end:.0}")
            };
        }
        drawn = value.is_some();
    }
    path
}

/// What is between two edges.
fn band(floor: &[f64], top: &[f64], scale: Scale, time: &TimeAxis) -> String {
    let mut path = String::new();
    for ((start, end), (floor, top)) in time.places().zip(floor.iter().zip(top)) {
        if top > floor {
            let (floor, top) = (height(*floor, scale), height(*top, scale));
            let _infallible = write!(path, "M{start:.0} {floor:.0}V{top:.0}H{end:.0}V{floor:.0}Z");
        }
    }
    path
}

fn height(value: f64, scale: Scale) -> f64 {
    (1.0 - scale.place(value)) * HEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> TimeAxis {
        let span = |second| (Duration::from_secs(second), Duration::from_secs(second + 1));
        TimeAxis {
            spans: (0..count).map(span).collect(),
        }
    }

    #[test]
    fn a_line_has_a_level_for_each_point_and_a_gap_where_there_is_no_value() {
        let values = [Some(0.0), Some(5.0), None, Some(10.0)];
        let path = step(&values, Scale::Even(10.0), &seconds(4));
        assert_eq!(path, "M0 2000H2500V1000H5000M7500 0H10000");
        assert_eq!(step(&[None], Scale::Even(1.0), &seconds(1)), "");
        assert_eq!(
            step(&[Some(1.0)], Scale::Even(1.0), &seconds(1)),
            "M0 0H10000"
        );
    }

    #[test]
    fn areas_stand_on_one_another() {
        let series = |colour, values: [f64; 2]| Series {
            name: String::new(),
            colour,
            dashed: false,
            values: values.map(Some).to_vec(),
        };
        let chart = Chart {
            id: "a".to_owned(),
            title: String::new(),
            unit: String::new(),
            drawing: Drawing::Stack,
            series: vec![series(1, [1.0, 0.0]), series(2, [1.0, 2.0])],
            reaches: None,
        };
        let scale = chart.scale();
        assert_eq!(scale, Scale::Even(2.0));
        let paths: Vec<String> = chart
            .paths(scale, &seconds(2))
            .into_iter()
            .map(Markup::into_string)
            .collect();
        assert!(paths[0].contains("M0 2000V1000H5000V2000Z\""), "{paths:?}");
        assert!(
            paths[1].contains("M0 1000V0H5000V1000ZM5000 2000V0H10000V2000Z"),
            "{paths:?}"
        );
    }

    #[test]
    fn names_from_outside_are_only_text() {
        let hostile = "</text><script>alert(1)</script>\"'&";
        let chart = Chart {
            id: "a".to_owned(),
            title: hostile.to_owned(),
            unit: hostile.to_owned(),
            drawing: Drawing::Lines,
            series: vec![Series {
                name: hostile.to_owned(),
                colour: 1,
                dashed: false,
                values: vec![None],
            }],
            reaches: None,
        };
        let drawn = chart.draw(&seconds(1)).into_string();
        assert!(!drawn.contains("<script"), "{drawn}");
    }
}
