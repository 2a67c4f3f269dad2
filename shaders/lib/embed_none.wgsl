// The embedding table is bound in parts, by dispatches of embed.wgsl that follow.
fn embed(m: u32, token: u32, thread: u32, threads: u32) {}
