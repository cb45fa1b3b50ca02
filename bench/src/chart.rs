//! A line chart as SVG: a logarithmic axis for how much there is, a linear one from zero for what it costs.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 60.0;
const COLOURS: [&str; 4] = ["#0b62a4", "#c8500f", "#3a7d2c", "#7a3e9d"];
const GRID_LINES: u32 = 4;

/// One line of a chart.
pub struct Series {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// What a chart shows; `y` names the unit of all series.
pub struct Chart<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    pub series: &'a [Series],
}

impl Chart<'_> {
    pub fn svg(&self) -> String {
        let scale = Scale::of(self.series);
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>
"#
        );
        text(&mut svg, (WIDTH / 2.0, 22.0), "middle", self.title, "font-size='15'");
        text(&mut svg, (WIDTH / 2.0, HEIGHT - 10.0), "middle", self.x, "");
        text(&mut svg, (LEFT, TOP - 6.0), "end", self.y, "");
        self.axes(&mut svg, &scale);
        for (index, series) in self.series.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            line(&mut svg, series, &scale, colour);
            let legend = (LEFT + 12.0, HEIGHT - BOTTOM - 10.0 - 16.0 * index as f64);
            text(&mut svg, legend, "start", series.name, &format!("fill='{colour}'"));
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn axes(&self, svg: &mut String, scale: &Scale) {
        for step in 0..=GRID_LINES {
            let value = scale.highest * f64::from(step) / f64::from(GRID_LINES);
            let y = scale.y(value);
            let end = WIDTH - RIGHT;
            push(svg, format_args!("<line x1='{LEFT}' y1='{y:.1}' x2='{end}' y2='{y:.1}' stroke='#ddd'/>"));
            text(svg, (LEFT - 6.0, y + 4.0), "end", &number(value), "");
        }
        let mut marks: Vec<_> = self.series.iter().flat_map(|series| &series.points).map(|point| point.0).collect();
        marks.sort_unstable_by(f64::total_cmp);
        marks.dedup();
        for mark in marks {
            text(svg, (scale.x(mark), HEIGHT - BOTTOM + 18.0), "middle", &number(mark), "");
        }
    }
}

/// From values to places. What there is none of stands a tenth left of one.
struct Scale {
    first: f64,
    last: f64,
    highest: f64,
}

impl Scale {
    fn of(series: &[Series]) -> Self {
        let points = || series.iter().flat_map(|series| &series.points);
        let first = points().map(|point| magnitude(point.0)).fold(f64::MAX, f64::min);
        let last = points().map(|point| magnitude(point.0)).fold(first + 1.0, f64::max);
        let highest = points().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max) * 1.15;
        Self { first, last, highest }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + 20.0 + (magnitude(value) - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT - 50.0)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.highest * (HEIGHT - TOP - BOTTOM)
    }
}

fn magnitude(value: f64) -> f64 {
    value.max(0.1).log10()
}

fn line(svg: &mut String, series: &Series, scale: &Scale, colour: &str) {
    let points: Vec<_> = series.points.iter().map(|(x, y)| (scale.x(*x), scale.y(*y))).collect();
    let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    push(svg, format_args!("<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2'/>", path.join(" ")));
    for (x, y) in points {
        push(svg, format_args!("<circle cx='{x:.1}' cy='{y:.1}' r='3.5' fill='{colour}'/>"));
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, content: &str, more: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    push(svg, format_args!("<text x='{x:.1}' y='{y:.1}' text-anchor='{anchor}' {more}>{content}</text>"));
}

fn push(svg: &mut String, element: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(svg, "{element}");
}

fn number(value: f64) -> String {
    match value {
        million if million >= 1e6 => format!("{} M", million / 1e6),
        thousand if thousand >= 1e4 => format!("{} k", (thousand / 1e3).round()),
        whole if whole >= 10.0 => format!("{whole:.0}"),
        small if small > 0.0 => format!("{}", (small * 100.0).round() / 100.0),
        _ => "0".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_stands_to_the_right_and_costs_stand_higher() {
        let points = vec![(0.0, 1.0), (10.0, 2.0), (1000.0, 4.0)];
        let scale = Scale::of(&[Series { name: "a", points }]);
        assert!(scale.x(0.0) < scale.x(10.0) && scale.x(10.0) < scale.x(1000.0));
        assert!(scale.y(0.0) > scale.y(1.0) && scale.y(1.0) > scale.y(4.0) && scale.y(4.0) > TOP);
    }

    #[test]
    fn a_chart_names_everything_and_escapes_it() {
        let series = [Series { name: "a < b", points: vec![(1.0, 1.0), (1e6, 0.5)] }];
        let svg = Chart { title: "costs & more", x: "events", y: "x floor", series: &series }.svg();
        for expected in ["costs &amp; more", "a &lt; b", ">events<", ">x floor<", ">1 M<", "<polyline", "</svg>"] {
            assert!(svg.contains(expected), "{expected} is not in {svg}");
        }
    }
}
