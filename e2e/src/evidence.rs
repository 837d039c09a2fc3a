//! What is printed when a test fails: statuses, events and logs of the site, so that CI's output suffices to see why.

use crate::site::Site;

/// Each is run in the site's namespace. The stand-in's log and Secrets stay out.
const QUESTIONS: [&[&str]; 6] = [
    &["get", "pods", "-o", "wide"],
    &["get", "mgw,mdep,psec", "-o", "wide"],
    &[
        "get",
        "mgw,mdep,psec",
        "-o",
        "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.status}{\"\\n\"}{end}",
    ],
    &["get", "events", "--sort-by=.lastTimestamp"],
    &["logs", "-l", "app.kubernetes.io/component=operator", "--tail=25", "--prefix"],
    &["logs", "-l", "fairlead.dev/gateway=main", "--tail=10", "--prefix"],
];

/// Prints the state of the site to stderr. Never fails: it runs when something else has.
pub async fn print(site: &Site) {
    for question in QUESTIONS {
        let args: Vec<&str> = question.iter().copied().chain(["-n", &site.namespace.0]).collect();
        eprintln!("--- kubectl {}", question.join(" "));
        match site.cluster.kubectl(&args, "").await {
            Ok(said) => eprintln!("{}", last_lines(&said, 80)),
            Err(problem) => eprintln!("{problem:#}"),
        }
    }
}

fn last_lines(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(most)).copied().collect::<Vec<_>>().join("\n")
}
