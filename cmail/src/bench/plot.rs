//! A bar chart as SVG: a bar for each row, and a line from the minimum to the maximum.

use std::fmt::Write;

use super::Row;

const WIDTH: f64 = 640.0;
const LABELS: f64 = 190.0;
const BAR: f64 = 26.0;

/// The whole picture, as the text of an SVG file.
pub fn draw(title: &str, rows: &[Row]) -> String {
    let most = rows.iter().flat_map(|row| &row.speeds).copied().fold(1.0, f64::max);
    let scale = (WIDTH - LABELS - 90.0) / most;
    let height = BAR * (rows.len() as f64 + 2.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"8\" y=\"20\" font-weight=\"bold\">{title}</text>\n"
    );
    for (place, row) in rows.iter().enumerate() {
        let y = BAR * (place as f64 + 1.5);
        let (width, middle) = (row.median() * scale, y + BAR * 0.4);
        let (least, upper) = (LABELS + row.speeds[0] * scale, LABELS + row.speeds[row.speeds.len() - 1] * scale);
        let color = if row.label.starts_with("CMail") { "#4878a8" } else { "#b0b0b0" };
        // Writing to a string does not fail.
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{text:.1}\">{label} × {workers}</text>\
             <rect x=\"{LABELS}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{bar:.1}\" fill=\"{color}\"/>\
             <path d=\"M{least:.1} {middle:.1}H{upper:.1}\" stroke=\"black\"/>\
             <text x=\"{end:.1}\" y=\"{text:.1}\">{median:.0}</text>",
            text = middle + 4.0,
            label = row.label,
            workers = row.workers,
            bar = BAR * 0.8,
            end = upper + 6.0,
            median = row.median(),
        );
    }
    svg + "</svg>\n"
}
