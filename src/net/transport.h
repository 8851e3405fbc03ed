// SPDX-License-Identifier: BSD-3-Clause
// Transport: what lies between a Connection's bytes and its socket, when that is not nothing: TLS.
// A plain connection has no Transport. One thread at a time, which is the engine's.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace backplane {

class Transport {
 public:
  enum class Io : uint8_t {
    kDone,
    kWantRead,   // call again once the socket can be read
    kWantWrite,  // call again once it can be written
    kEnd,        // the peer has closed
    kFailed,     // nothing more can be done with this connection; error() says why
  };
  struct Outcome {
    Io io = Io::kDone;
    size_t bytes = 0;
  };

  virtual ~Transport() = default;

  // Goes on with the opening of the connection; kDone once, before that no Read and no Write.
  virtual Io Handshake() = 0;
  // Reads some bytes, at most `room` (> 0). Bytes may come with kWantRead or kWantWrite as well:
  // then nothing is buffered behind them. kDone: there may be more, which the socket does not
  // announce.
  virtual Outcome Read(char* target, size_t room) = 0;
  // Writes some of the bytes. After kWant... the next call gets the same bytes, maybe more behind.
  virtual Outcome Write(const iovec* parts, int count) = 0;
  // Tells the peer that nothing more comes, if that can be said without waiting.
  virtual void Close() = 0;

  // The peer's certificate as PEM text; empty without one.
  virtual std::string PeerCertificate() const = 0;
  // Why the last call was kFailed.
  virtual const std::string& error() const = 0;
};

// Makes the transports of accepted sockets.
class TransportFactory {
 public:
  virtual ~TransportFactory() = default;
  // nullptr when that is not possible now. The socket stays the caller's and outlives the
  // transport.
  virtual std::unique_ptr<Transport> Accept(int fd) = 0;
};

}  // namespace backplane
