//! A document's blocks: what stands between lines of three backticks.

/// A block of a document.
pub struct Block<'a> {
    /// `bash`, `text`, …
    pub language: &'a str,
    /// Whether it says of itself that its last command fails.
    pub fails: bool,
    /// Where it begins in the document.
    pub line: usize,
    pub content: String,
}

/// The blocks, in their order.
pub fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = document.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let (language, attribute) = info.split_once(' ').unwrap_or((info, ""));
        assert!(["", "fails"].contains(&attribute), "line {}: {attribute:?}", number + 1);
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let content = inside.map(|line| format!("{line}\n")).collect();
        blocks.push(Block { language, fails: attribute == "fails", line: number + 1, content });
    }
    blocks
}
