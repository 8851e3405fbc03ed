// SPDX-License-Identifier: BSD-3-Clause
// TLS connections over a socket pair: a server side in a ConnectionSet, a client side that is
// OpenSSL itself, step by step on one thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "net/connection.h"
#include "net/tls_context.h"

namespace backplane {
namespace {

// A key and a certificate that it signed itself, in files.
class SelfSigned {
 public:
  SelfSigned() {
    const std::string base = testing::TempDir() + "backplane_tls_" + std::to_string(getpid());
    key_file = base + ".key";
    cert_file = base + ".crt";
    EVP_PKEY* key = EVP_EC_gen("prime256v1");
    X509* cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_sign(cert, key, EVP_sha256());
    FILE* file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    file = std::fopen(cert_file.c_str(), "w");
    PEM_write_X509(file, cert);
    std::fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  ~SelfSigned() {
    unlink(key_file.c_str());
    unlink(cert_file.c_str());
  }
  TlsOptions Options() const {
    TlsOptions options;
    options.cert_file = cert_file;
    options.key_file = key_file;
    options.auth_clients = TlsClientAuth::kNo;
    return options;
  }
  std::string key_file;
  std::string cert_file;
};

// Sends everything back; can pause after each input.
class EchoHandler final : public ConnectionHandler {
 public:
  size_t OnInput(Connection& connection, std::string_view data) override {
    const size_t used = std::min(data.size(), step);
    connection.out().Append(data.substr(0, used));
    connection.ScheduleWrite();
    received += used;
    if (pause) connection.PauseReading();
    return used;
  }
  void OnClosed(Connection&) override { ++closed; }
  void OnHandshakeFailed(Connection&, const std::string& why) override { failure = why; }
  size_t step = SIZE_MAX;
  bool pause = false;
  size_t received = 0;
  int closed = 0;
  std::string failure;
};

class TlsConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    auto context = TlsContext::Make(pair_.Options());
    ASSERT_TRUE(context.has_value()) << context.error().message;
    context_ = std::move(*context);
  }
  void TearDown() override {
    SSL_free(client_);
    SSL_CTX_free(client_context_);
    if (client_fd_ >= 0) close(client_fd_);
  }
  void Open() {
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    client_fd_ = fds[1];
    connection_ = set_.Adopt(fds[0], &handler_, context_->Accept(fds[0]));
    ASSERT_NE(connection_, nullptr);
    client_context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(client_context_, SSL_MODE_ENABLE_PARTIAL_WRITE);
    client_ = SSL_new(client_context_);
    SSL_set_fd(client_, client_fd_);
    SSL_set_connect_state(client_);
  }
  bool Handshake() {
    for (int i = 0; i < 50; ++i) {
      if (SSL_do_handshake(client_) == 1) return true;
      loop_.RunOnce(0);
    }
    return false;
  }
  void Turns(int count) {
    for (int i = 0; i < count; ++i) loop_.RunOnce(0);
  }
  // What the client can read now; the server gets turns in between.
  std::string Receive(size_t expected) {
    std::string text;
    char part[20'000];
    for (int idle = 0; text.size() < expected && idle < 200; ++idle) {
      loop_.RunOnce(0);
      const int got = SSL_read(client_, part, sizeof(part));
      if (got > 0) {
        text.append(part, static_cast<size_t>(got));
        idle = 0;
      }
    }
    return text;
  }
  // Sends all of it, reading nothing; the server gets turns in between.
  void Send(std::string_view text) {
    for (int idle = 0; !text.empty() && idle < 200; ++idle) {
      const int sent = SSL_write(client_, text.data(), static_cast<int>(text.size()));
      if (sent > 0) {
        text.remove_prefix(static_cast<size_t>(sent));
        idle = 0;
      }
      loop_.RunOnce(0);
    }
    EXPECT_TRUE(text.empty());
  }

  SelfSigned pair_;
  EventLoop loop_;
  EchoHandler handler_;  // outlives its connections
  ConnectionSet set_{&loop_};
  std::unique_ptr<TlsContext> context_;
  Connection* connection_ = nullptr;
  SSL_CTX* client_context_ = nullptr;
  SSL* client_ = nullptr;
  int client_fd_ = -1;
};

std::string Pattern(size_t size) {
  std::string text(size, ' ');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 23);
  return text;
}

TEST_F(TlsConnectionTest, EchoesAfterTheHandshake) {
  Open();
  ASSERT_TRUE(Handshake());
  Send("hello");
  EXPECT_EQ(Receive(5), "hello");
  EXPECT_EQ(connection_->bytes_in(), 5u);
  EXPECT_EQ(connection_->bytes_out(), 5u);
  EXPECT_NE(connection_->transport(), nullptr);
  EXPECT_EQ(connection_->transport()->PeerCertificate(), "");
}

TEST_F(TlsConnectionTest, OutputWaitsForTheHandshake) {
  Open();
  connection_->out().Append("welcome");
  connection_->ScheduleWrite();
  Turns(3);
  ASSERT_TRUE(Handshake());
  EXPECT_EQ(Receive(7), "welcome");
}

TEST_F(TlsConnectionTest, CloseAfterFlushBeforeTheHandshakeStillSends) {
  Open();
  connection_->out().Append("no");
  connection_->CloseAfterFlush();
  ASSERT_TRUE(Handshake());
  EXPECT_EQ(Receive(2), "no");
  Turns(3);
  EXPECT_EQ(handler_.closed, 1);
  char byte;
  EXPECT_EQ(SSL_read(client_, &byte, 1), 0);
  EXPECT_EQ(SSL_get_error(client_, 0), SSL_ERROR_ZERO_RETURN) << "the server said goodbye";
}

TEST_F(TlsConnectionTest, MuchDataBothWays) {
  Open();
  ASSERT_TRUE(Handshake());
  const std::string text = Pattern(3'000'000);
  Send(text);
  EXPECT_EQ(Receive(text.size()), text);
}

// More output than the socket takes, and more is added while a record is half written.
TEST_F(TlsConnectionTest, OutputGrowsWhileItIsBlocked) {
  Open();
  ASSERT_TRUE(Handshake());
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const std::string text = Pattern(static_cast<size_t>(1 + i * 37 % 900));
    all += text;
    connection_->out().Append(text);
    connection_->ScheduleWrite();
    if (i % 3 == 0) loop_.RunOnce(0);
  }
  EXPECT_EQ(Receive(all.size()), all);
}

// Input that lies decrypted in the session is offered although the socket stays silent.
TEST_F(TlsConnectionTest, PausingLeavesNothingBehind) {
  Open();
  ASSERT_TRUE(Handshake());
  handler_.pause = true;
  const std::string text = Pattern(200'000);
  Send("x");
  size_t sent = 0;
  while (sent < text.size()) {
    const int now = SSL_write(client_, text.data() + sent, static_cast<int>(text.size() - sent));
    if (now <= 0) break;
    sent += static_cast<size_t>(now);
  }
  for (int i = 0; i < 100 && handler_.received < sent + 1; ++i) {
    Turns(2);
    connection_->ResumeReading();
  }
  Turns(3);
  EXPECT_EQ(handler_.received, sent + 1);
}

TEST_F(TlsConnectionTest, ASilentPeerIsClosed) {
  set_.set_handshake_ms_max(20);
  Open();
  for (int i = 0; i < 200 && handler_.closed == 0; ++i) loop_.RunOnce(20);
  EXPECT_EQ(handler_.closed, 1);
  EXPECT_EQ(handler_.failure, "handshake took too long");
  EXPECT_EQ(set_.size(), 0u);
}

TEST_F(TlsConnectionTest, OneThatIsThroughIsNot) {
  set_.set_handshake_ms_max(20);
  Open();
  ASSERT_TRUE(Handshake());
  for (int i = 0; i < 10; ++i) loop_.RunOnce(10);
  Send("still here");
  EXPECT_EQ(Receive(10), "still here");
}

TEST_F(TlsConnectionTest, GarbageIsRefusedWithAReason) {
  Open();
  ASSERT_GT(write(client_fd_, "PING\r\nPING\r\n", 12), 0);
  Turns(3);
  EXPECT_EQ(handler_.closed, 1);
  EXPECT_THAT(handler_.failure, testing::HasSubstr("SSL routines"));
  EXPECT_EQ(handler_.received, 0u);
}

TEST_F(TlsConnectionTest, APeerThatLeavesIsForgotten) {
  Open();
  ASSERT_TRUE(Handshake());
  Send("last");
  SSL_shutdown(client_);
  Turns(3);
  EXPECT_EQ(handler_.closed, 1);
  EXPECT_EQ(Receive(4), "last") << "the answer came before";
}

TEST_F(TlsConnectionTest, ConnectionsOutliveTheirContext) {
  Open();
  ASSERT_TRUE(Handshake());
  context_.reset();
  Send("hello");
  EXPECT_EQ(Receive(5), "hello");
}

TEST(TlsContextTest, SaysWhatIsWrong) {
  SelfSigned pair;
  const auto reason = [](const TlsOptions& options) {
    auto made = TlsContext::Make(options);
    return made.has_value() ? std::string("none") : made.error().message;
  };
  EXPECT_EQ(reason(pair.Options()), "none");
  EXPECT_EQ(reason({}), "No tls-cert-file configured!");
  TlsOptions options = pair.Options();
  options.key_file.clear();
  EXPECT_EQ(reason(options), "No tls-key-file configured!");
  options = pair.Options();
  options.auth_clients = TlsClientAuth::kYes;
  EXPECT_THAT(reason(options), testing::HasSubstr("must be specified"));
  options.ca_cert_file = pair.cert_file;
  EXPECT_EQ(reason(options), "none");
  options = pair.Options();
  options.cert_file = pair.key_file;
  EXPECT_THAT(reason(options), testing::StartsWith("Failed to load certificate: "));
  options = pair.Options();
  options.key_file = pair.cert_file;
  EXPECT_THAT(reason(options), testing::StartsWith("Failed to load private key: "));
  options = pair.Options();
  options.dh_params_file = pair.cert_file;
  EXPECT_THAT(reason(options), testing::StartsWith("Failed to read DH params file: "));
  options = pair.Options();
  options.protocols = "SSLv3";
  EXPECT_THAT(reason(options), testing::StartsWith("Invalid tls-protocols specified."));
  for (const char* known : {"TLSv1.2", "  TLSv1.3  tlsv1.2", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"}) {
    options.protocols = known;
    EXPECT_EQ(reason(options), "none");
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "no error is left for the next who looks";
}

}  // namespace
}  // namespace backplane
