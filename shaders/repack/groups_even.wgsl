// Groups of SOURCE_GROUP neighbouring columns.
fn group_of(column: u32) -> u32 {
  return column / SOURCE_GROUP;
}
