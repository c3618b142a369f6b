//! The report as pictures.

use std::fs;
use std::path::{Path, PathBuf};

use plotters::prelude::*;

use super::error::{Error, Result};
use super::figures::time;
use super::ranking::{Ranked, Ranking};
use super::report::Report;
use super::setting::{Batch, InFlight, Setting};

const SIZE: (u32, u32) = (840, 420);
/// Operations of the largest request.
const FULL_BATCH: usize = 25;

/// A line through points.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// What stands at the axes, and above.
struct Titles<'t> {
    caption: &'t str,
    x: &'t str,
    y: &'t str,
}

/// Draws the plots of `report` into `folder`, and says where they are.
///
/// # Errors
///
/// [`Error::Output`] and [`Error::Plot`] if they cannot be written.
pub fn draw(report: &Report, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).map_err(|source| Error::Output {
        path: folder.to_owned(),
        source,
    })?;
    let ranking = report.ranking();
    let mut drawn = Vec::new();
    let mut draw = |name: &str, titles: &Titles<'_>, lines: &[Line]| -> Result<()> {
        if lines.iter().any(|line| line.points.len() > 1) {
            let path = folder.join(name);
            chart(&path, titles, lines)?;
            drawn.push(path);
        }
        Ok(())
    };
    let titles = Titles {
        caption: "Throughput of the best setting and of the slowest",
        x: "seconds of the simulated part",
        y: "WCU per second",
    };
    draw("throughput.svg", &titles, &throughput(ranking))?;
    let titles = Titles {
        caption: "Share of the table's capacity by requests in flight",
        x: "requests in flight",
        y: "percent of the capacity",
    };
    draw(
        "concurrency.svg",
        &titles,
        &by_concurrency(ranking, report.wcu()),
    )?;
    let titles = Titles {
        caption: "Share of the table's capacity by size of the batch",
        x: "operations of a request at most",
        y: "percent of the capacity",
    };
    draw("batch-size.svg", &titles, &by_batch(ranking, report.wcu()))?;
    Ok(drawn)
}

fn throughput(ranking: &Ranking) -> Vec<Line> {
    let line = |ranked: &Ranked, what: &str| Line {
        name: format!(
            "{what}: {} ({})",
            ranked.trial.setting.beside(&ranking.standard),
            time(ranked.seconds)
        ),
        // The last second is not a whole one.
        points: (0..ranked.trial.seconds.len().saturating_sub(1))
            .map(|second| (second as f64, ranked.trial.seconds[second] as f64))
            .collect(),
    };
    let best = ranking.best().map(|best| line(best, "best"));
    let worst = ranking.worst().map(|worst| line(worst, "slowest"));
    let mut lines: Vec<_> = best.into_iter().chain(worst).collect();
    // The slowest one takes so long that nothing else could be seen.
    if let Some(end) = lines.first().and_then(|best| best.points.last()).copied() {
        for line in &mut lines {
            line.points
                .retain(|(second, _)| *second <= 2.0 * end.0 + 1.0);
        }
    }
    lines
}

fn by_concurrency(ranking: &Ranking, wcu: u64) -> Vec<Line> {
    let vary = |setting: &Setting| Setting {
        concurrency: ranking.standard.concurrency,
        ..*setting
    };
    shares(
        ranking,
        &ranking.standard,
        wcu,
        vary,
        |setting| match setting.concurrency {
            InFlight::Auto => None,
            InFlight::Fixed(requests) => Some(requests),
        },
    )
}

fn by_batch(ranking: &Ranking, wcu: u64) -> Vec<Line> {
    let vary = |setting: &Setting| Setting {
        batch: Batch::Auto,
        ..*setting
    };
    let mut tried = ranking.ranked.iter().map(|ranked| ranked.trial.setting);
    let Some(bounded) = tried.find(|setting| setting.batch != Batch::Auto) else {
        return Vec::new();
    };
    shares(
        ranking,
        &vary(&bounded),
        wcu,
        vary,
        |setting| match setting.batch {
            Batch::Auto => Some(FULL_BATCH),
            Batch::AtMost(ops) => Some(ops),
        },
    )
}

/// The share of the capacity by what `of` says of a setting.
fn shares(
    ranking: &Ranking,
    base: &Setting,
    wcu: u64,
    vary: impl Fn(&Setting) -> Setting,
    of: impl Fn(&Setting) -> Option<usize>,
) -> Vec<Line> {
    let mut points: Vec<_> = ranking
        .beside(base, vary)
        .filter_map(|ranked| {
            let share = 100.0 * ranked.trial.steady_rate() / wcu as f64;
            Some((of(&ranked.trial.setting)? as f64, share))
        })
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    vec![Line {
        name: format!("with {}", base.beside(&ranking.standard)),
        points,
    }]
}

fn chart(path: &Path, titles: &Titles<'_>, lines: &[Line]) -> Result<()> {
    let mut svg = String::new();
    draw_chart(&mut svg, titles, lines)
        .and_then(|()| Ok(fs::write(path, &svg)?))
        .map_err(|source| Error::Plot {
            path: path.to_owned(),
            source,
        })
}

fn draw_chart(
    svg: &mut String,
    titles: &Titles<'_>,
    lines: &[Line],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(1.0, f64::max);
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(titles.caption, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            0.0..most(|point| point.0),
            0.0..most(|point| point.1) * 1.15,
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(titles.x)
        .y_desc(titles.y)
        .draw()?;
    for (line, color) in lines.iter().zip([BLUE, RED]) {
        let series = LineSeries::new(line.points.iter().copied(), color.stroke_width(2));
        chart
            .draw_series(series)?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
