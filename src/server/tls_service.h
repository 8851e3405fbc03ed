// SPDX-License-Identifier: BSD-3-Clause
// TlsService: the TLS context that the options ask for now, for the clients that come in. The
// server owns it. Engine thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "net/tls_context.h"
#include "net/transport.h"

namespace backplane {

class TlsService final : public TransportFactory {
 public:
  // Makes a context of the settings and keeps it beside the one in use, until Commit or Discard.
  // The error is a line for the log.
  Status Prepare(const TlsSettings& settings);
  // From now on new connections get the prepared context. Without one nothing happens.
  void Commit();
  void Discard() { prepared_.reset(); }
  bool ready() const { return context_ != nullptr; }

  std::unique_ptr<Transport> Accept(int fd) override;

  // Whether this option is one that a context is made of (tls-port is not).
  static bool IsContextOption(std::string_view name);

 private:
  std::unique_ptr<TlsContext> context_;
  std::unique_ptr<TlsContext> prepared_;
};

}  // namespace backplane
