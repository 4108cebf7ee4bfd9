//! Call one operation on one replica: HTTP and exec.
