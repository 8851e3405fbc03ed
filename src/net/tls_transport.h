// SPDX-License-Identifier: BSD-3-Clause
// TlsTransport: TLS over a non-blocking socket with OpenSSL. Made by TlsContext. Engine thread.
#pragma once

#include <memory>
#include <string>

#include "net/transport.h"

struct ssl_st;

namespace backplane {

// What OpenSSL noted last on this thread, "error:0A00010B:SSL routines::wrong version number"; its
// list is empty afterwards.
std::string TakeOpenSslError();

class TlsTransport final : public Transport {
 public:
  // Takes the session, which has its socket and its role.
  explicit TlsTransport(ssl_st* session) : session_(session) {}
  ~TlsTransport() override;

  Io Handshake() override;
  Outcome Read(char* target, size_t room) override;
  Outcome Write(const iovec* parts, int count) override;
  void Close() override;
  std::string PeerCertificate() const override;
  const std::string& error() const override { return error_; }

 private:
  // What the session says after a call that returned `result`.
  Io Why(int result);

  ssl_st* session_;
  bool open_ = false;  // handshake done, and nothing has failed
  std::string error_;
};

}  // namespace backplane
