#pragma once

// Attention of row-major (head, token, channel), on one thread: what every peer is asked for.
struct peer_task {
  long heads, tokens, channels;
  bool causal;
  const float *q, *k, *v;
};

class peer {
 public:
  virtual ~peer() = default;
  virtual void attend() = 0;
  virtual const float* output() = 0;  // of the last attend, (head, token, channel)
};

// A peer is a module of its own, opened at run time with its names kept to itself: libtorch brings a BLAS and a oneDNN that must
// not answer for the others. Each module exports both.
extern "C" {
peer* make_peer(const peer_task&);
const char* peer_version();
}
