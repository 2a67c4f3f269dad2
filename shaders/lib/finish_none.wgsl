fn finish(workgroup: u32, thread: u32) {}
