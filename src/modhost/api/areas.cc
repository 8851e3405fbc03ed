// SPDX-License-Identifier: BSD-3-Clause
#include "modhost/api/areas.h"

#include "modhost/api_table.h"
#include "modhost/host.h"

namespace backplane {

void RegisterAllApis(ApiTable& table) {
  RegisterAllocationApi(table);
  RegisterBlockingApi(table);
  RegisterCallApi(table);
  RegisterCallReplyApi(table);
  RegisterClientApi(table);
  RegisterClusterApi(table);
  RegisterCommandApi(table);
  RegisterCommandFilterApi(table);
  RegisterCommandInfoApi(table);
  RegisterConfigApi(table);
  RegisterDataSetApi(table);
  RegisterDataTypeApi(table);
  RegisterDefragApi(table);
  RegisterDictApi(table);
  RegisterEventLoopApi(table);
  RegisterEvictionApi(table);
  RegisterForkApi(table);
  RegisterInfoApi(table);
  RegisterDigestApi(table);
  RegisterHashApi(table);
  RegisterIoApi(table);
  RegisterKeyApi(table);
  RegisterListApi(table);
  RegisterLogApi(table);
  RegisterModuleInfoApi(table);
  RegisterNotificationApi(table);
  RegisterReplicationApi(table);
  RegisterReplyApi(table);
  RegisterScanApi(table);
  RegisterServerEventApi(table);
  RegisterSharedApi(table);
  RegisterStreamKeyApi(table);
  RegisterStringApi(table);
  RegisterStringKeyApi(table);
  RegisterThreadApi(table);
  RegisterTimerApi(table);
  RegisterUserApi(table);
  RegisterZsetApi(table);
}

}  // namespace backplane
