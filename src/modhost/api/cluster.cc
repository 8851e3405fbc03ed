// SPDX-License-Identifier: BSD-3-Clause
// API area: cluster, as a server answers whose cluster mode is off.
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"

namespace backplane {
namespace {

void RegisterClusterMessageReceiver(RedisModuleCtx* ctx, uint8_t type,
                                    RedisModuleClusterMessageReceiver callback) {}
int SendClusterMessage(RedisModuleCtx* ctx, const char* target_id, uint8_t type, const char* msg,
                       uint32_t len) {
  return REDISMODULE_ERR;
}
char** GetClusterNodesList(RedisModuleCtx* ctx, size_t* numnodes) {
  *numnodes = 0;
  return nullptr;
}
void FreeClusterNodesList(char** ids) {}
const char* GetMyClusterID() { return nullptr; }
size_t GetClusterSize() { return 0; }
int GetClusterNodeInfo(RedisModuleCtx* ctx, const char* id, char* ip, char* master_id, int* port,
                       int* flags) {
  return REDISMODULE_ERR;
}
void SetClusterFlags(RedisModuleCtx* ctx, uint64_t flags) {}

}  // namespace

void RegisterClusterApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(RegisterClusterMessageReceiver),
      BACKPLANE_API_ROW(SendClusterMessage),
      BACKPLANE_API_ROW(GetClusterNodesList),
      BACKPLANE_API_ROW(FreeClusterNodesList),
      BACKPLANE_API_ROW(GetMyClusterID),
      BACKPLANE_API_ROW(GetClusterSize),
      BACKPLANE_API_ROW(GetClusterNodeInfo),
      BACKPLANE_API_ROW(SetClusterFlags),
  };
  table.Add(rows);
}

}  // namespace backplane
