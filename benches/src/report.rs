use crate::meter::Figure;
pub fn table(figures: &[Figure]) -> String {
    figures.iter().map(|f| format!("{:40} {:8.2}\n", f.name, f.median())).collect()
}
pub fn write(_: &[Figure]) -> std::io::Result<()> { Ok(()) }
