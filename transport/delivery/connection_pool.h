#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transport/delivery/delivery_connection.h"
#include "transport/delivery/delivery_route.h"
#include "transport/delivery/provider_connections.h"

namespace waxwing {

/// A job that waits for a connection.
class PoolClient : public TransactionSource {
 public:
  /// Whether it still wants to be sent; a job may reach its deadline while it waits.
  [[nodiscard]] virtual bool waits() const = 0;

  /// Asked right before it gets a connection, since it may have waited long; false: it does not go there any more, and
  /// comes back in a turn of its own if it still wants to be sent.
  [[nodiscard]] virtual bool confirm() = 0;

  /// No connection to the target came about.
  virtual void on_unreachable(const SmtpFailure& failure, const ConnectionFacts& facts) = 0;
};

/// Where a job wants to go, and what must be proven there.
struct PoolTarget {
  std::string mx_name;
  Endpoint endpoint;
  TlsRequirement requirement;
  std::string sharing_key;  ///< of `requirement`
  LocalEnd local_end;
  std::shared_ptr<const DeliveryRoute> route{};  ///< that leads there; nullptr: none
  std::optional<Endpoint> alternative{};         ///< another address of the host, of another family; no value: none
};

/// Connections for reuse, in groups of the same MX name, endpoint, requirement, route and source of ours: a message goes
/// only over connections of its own group, so that none travels on less than its own domain asks for, from elsewhere, or
/// with the login of another route. Per group the jobs wait in order of arrival.
///
/// A group gets one more connection when jobs wait and fewer than one connection in kJobsPerOpening jobs is being
/// opened, within the limits per MX name, per provider and in total; an idle connection of another group makes room. When an opening
/// fails and the group has others, the jobs go on waiting for those; when it has none, all that wait hear the failure.
class ConnectionPool : private DeliveryConnection::Owner {
 public:
  struct Options {
    std::size_t max_connections_per_host;
    std::size_t max_connections;
    std::size_t max_messages_per_connection;
    DeliveryConnection::Options connection;          ///< local_end and alternative are those of the target
    std::shared_ptr<ProviderConnections> providers;  ///< shared with other loops; nullptr: no limit per provider
  };

  ConnectionPool(EventLoop& loop, TlsClientContext& tls, Options options);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  enum class Place { First, Last };

  /// Hands the job to an idle connection, or lets it wait for one; a job that is destroyed meanwhile waits no more.
  /// @param place  First for a job that waited before and met a stale connection, so that it gets the next new one
  /// @return  false: kMaxWaitingJobsPerGroup jobs wait already
  [[nodiscard]] bool submit(const PoolTarget& target, const std::shared_ptr<PoolClient>& client, Place place);

  /// Ends the idle connections of a group: one of them has turned out to be stale.
  void drop_idle(const PoolTarget& target);

  /// Ends the connection that carries the job, if one does.
  void cut(const PoolClient& client, std::string_view detail);

  /// Connections of all kinds.
  [[nodiscard]] std::size_t connections() const { return members_.size(); }

 private:
  using GroupKey = std::string;
  struct Group {
    PoolTarget target;
    std::string provider;  // empty: not counted
    std::deque<std::weak_ptr<PoolClient>> waiting;
    std::vector<DeliveryConnection*> idle;  // most recently used last, so that surplus ones grow old
    std::size_t members = 0;
    std::size_t opening = 0;
    MonotonicTime no_growth_until{};  // the server refused one more connection
  };
  struct Member {
    std::shared_ptr<DeliveryConnection> connection;
    GroupKey key;
    const PoolClient* client = nullptr;  // only compared, never followed
    bool opening = true;
    bool leaving = false;  // makes room for another
  };

  void on_ready(DeliveryConnection& connection) override;
  void on_gone(DeliveryConnection& connection, const std::optional<SmtpFailure>& failure) override;

  void serve(const GroupKey& key);
  void serve_others(const GroupKey& its_key, const std::string& mx_name);
  [[nodiscard]] bool wants_connection(const Group& group) const;
  [[nodiscard]] bool has_room(const Group& group);
  enum class Sharing { Host, Provider, Everything };
  [[nodiscard]] bool take_share(const Group& group);
  void make_room(const Group& wanting, Sharing sharing);
  void serve_all();
  void open(const GroupKey& key, Group& group);
  void dismiss(DeliveryConnection& connection);
  [[nodiscard]] static std::shared_ptr<PoolClient> next_waiting(Group& group);
  static void drop_done(Group& group);
  [[nodiscard]] DeliveryConnection* take_idle(Group& group);
  void carry(DeliveryConnection& connection, const std::shared_ptr<PoolClient>& client);
  void remove(DeliveryConnection& connection);

  EventLoop& loop_;
  TlsClientContext& tls_;
  const Options options_;
  std::map<GroupKey, Group> groups_;  // key: MX name first, so that the groups of a host are neighbours
  std::map<DeliveryConnection*, Member> members_;
  std::map<std::string, std::size_t> per_host_;  // connections by MX name
  std::size_t leaving_ = 0;
  bool share_awaited_ = false;
  Timer share_timer_;  // another loop may have given back its share of a provider
};

inline constexpr std::size_t kMaxWaitingJobsPerGroup = 10'000;
inline constexpr std::size_t kJobsPerOpening = 4;

}  // namespace waxwing
