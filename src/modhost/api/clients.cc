// SPDX-License-Identifier: BSD-3-Clause
// API area: clients.
#include <cerrno>
#include <cstring>

#include "base/numbers.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/client_info.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"

namespace backplane {

void FillClientInfo(Session& session, RedisModuleClientInfo* info) {
  std::memset(info, 0, sizeof(*info));
  info->version = REDISMODULE_CLIENTINFO_VERSION;
  info->id = session.id();
  info->db = static_cast<uint16_t>(session.db_index);
  if (session.subscribed()) info->flags |= REDISMODULE_CLIENTINFO_FLAG_PUBSUB;
  if (session.blocked()) info->flags |= REDISMODULE_CLIENTINFO_FLAG_BLOCKED;
  if (session.tracking != nullptr) info->flags |= REDISMODULE_CLIENTINFO_FLAG_TRACKING;
  if (session.transaction != nullptr || session.executing_transaction)
    info->flags |= REDISMODULE_CLIENTINFO_FLAG_MULTI;
  ClientLink* link = session.link();
  if (link == nullptr) return;
  if (link->is_unix()) info->flags |= REDISMODULE_CLIENTINFO_FLAG_UNIXSOCKET;
  if (link->is_tls()) info->flags |= REDISMODULE_CLIENTINFO_FLAG_SSL;
  // "127.0.0.1:6379", "[::1]:6379"; a Unix socket's path has no port.
  std::string_view peer = link->peer();
  const size_t colon = peer.rfind(':');
  if (colon != std::string_view::npos) {
    auto port = ParseInt64(peer.substr(colon + 1));
    if (port) info->port = static_cast<uint16_t>(*port);
    peer = peer.substr(0, colon);
    if (peer.starts_with('[')) peer.remove_prefix(1);
    if (peer.ends_with(']')) peer.remove_suffix(1);
  }
  peer.substr(0, sizeof(info->addr) - 1).copy(info->addr, sizeof(info->addr) - 1);
}

namespace {

Session* FindSession(uint64_t id) {
  Clients* clients = CurrentHost()->clients();
  NetClient* client = clients == nullptr ? nullptr : clients->Find(id);
  return client == nullptr ? nullptr : &client->session();
}

unsigned long long GetClientId(RedisModuleCtx* ctx) { return ctx->client_id; }

int GetClientInfoById(void* ci, uint64_t id) {
  Session* session = FindSession(id);
  if (session == nullptr) return REDISMODULE_ERR;
  if (ci == nullptr) return REDISMODULE_OK;
  auto* info = static_cast<RedisModuleClientInfo*>(ci);
  if (info->version != REDISMODULE_CLIENTINFO_VERSION) return REDISMODULE_ERR;
  FillClientInfo(*session, info);
  return REDISMODULE_OK;
}

RedisModuleString* TextFor(RedisModuleCtx* ctx, const std::string& text) {
  RedisModuleString* string = NewModuleString(text);
  if (ctx != nullptr) ctx->Track(RedisModuleCtx::Kind::kString, string);
  return string;
}

// Null for a session that acts as nobody.
RedisModuleString* UserNameFor(RedisModuleCtx* ctx, const Session& session) {
  return session.user == nullptr ? nullptr : TextFor(ctx, session.user->name());
}

RedisModuleString* GetClientUserNameById(RedisModuleCtx* ctx, uint64_t id) {
  Session* session = FindSession(id);
  if (session == nullptr) {
    errno = ENOENT;
    return nullptr;
  }
  return UserNameFor(ctx, *session);
}

RedisModuleString* GetClientNameById(RedisModuleCtx* ctx, uint64_t id) {
  Session* session = FindSession(id);
  if (session == nullptr || session->name.empty()) return nullptr;
  return TextFor(ctx, session->name);
}

int SetClientNameById(uint64_t id, RedisModuleString* name) {
  Session* session = FindSession(id);
  if (session == nullptr) {
    errno = ENOENT;
    return REDISMODULE_ERR;
  }
  // What CLIENT LIST could not show is no name.
  for (char c : name->view()) {
    if (c < '!' || c > '~') {
      errno = EINVAL;
      return REDISMODULE_ERR;
    }
  }
  session->name = name->view();
  return REDISMODULE_OK;
}

RedisModuleString* GetClientCertificate(RedisModuleCtx* ctx, uint64_t id) {
  Session* session = FindSession(id);
  if (session == nullptr) return nullptr;
  const std::string certificate = session->link()->PeerCertificate();
  return certificate.empty() ? nullptr : TextFor(ctx, certificate);
}

RedisModuleString* GetCurrentUserName(RedisModuleCtx* ctx) {
  return UserNameFor(ctx, *ctx->session);
}

int MustObeyClient(RedisModuleCtx* ctx) {
  return ctx->session->kind() == Session::Kind::kReplay ? 1 : 0;
}

int DeauthenticateAndCloseClient(RedisModuleCtx* ctx, uint64_t client_id) {
  Session* session = FindSession(client_id);
  if (session == nullptr) return REDISMODULE_ERR;
  const Users* users = CurrentHost()->engine().users();
  session->SetUser(users == nullptr ? nullptr : users->default_user(), false);
  // The caller still gets its reply.
  session->link()->CloseAfterReply();
  return REDISMODULE_OK;
}

int PublishMessage(RedisModuleCtx* ctx, RedisModuleString* channel, RedisModuleString* message) {
  return static_cast<int>(ctx->host().engine().pubsub().Publish(channel->view(), message->view()));
}

int PublishMessageShard(RedisModuleCtx* ctx, RedisModuleString* channel,
                        RedisModuleString* message) {
  return static_cast<int>(
      ctx->host().engine().pubsub().PublishShard(channel->view(), message->view()));
}

}  // namespace

void RegisterClientApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(GetClientId),           BACKPLANE_API_ROW(GetClientInfoById),
      BACKPLANE_API_ROW(GetClientUserNameById), BACKPLANE_API_ROW(GetClientNameById),
      BACKPLANE_API_ROW(SetClientNameById),     BACKPLANE_API_ROW(GetCurrentUserName),
      BACKPLANE_API_ROW(MustObeyClient),        BACKPLANE_API_ROW(DeauthenticateAndCloseClient),
      BACKPLANE_API_ROW(PublishMessage),        BACKPLANE_API_ROW(PublishMessageShard),
      BACKPLANE_API_ROW(GetClientCertificate),
  };
  table.Add(rows);
}

}  // namespace backplane
