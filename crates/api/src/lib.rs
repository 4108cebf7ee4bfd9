//! Routes, OpenAPI, policy, SSE, the embedded page.
