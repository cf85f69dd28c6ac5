#include "transport/delivery/connection_pool.h"

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

constexpr Milliseconds kGrowthPause{10'000};
constexpr Milliseconds kShareRetry{200};

std::string key_of(const PoolTarget& target) {
  const std::string route = target.route ? target.route->plan->tls.route : std::string();
  return target.mx_name + '\n' + target.endpoint.str() + '\n' + target.local_end.source + '\n' + target.sharing_key +
         '\n' + route;
}

}  // namespace

ConnectionPool::ConnectionPool(EventLoop& loop, TlsClientContext& tls, Options options)
    : loop_(loop), tls_(tls), options_(std::move(options)), share_timer_(loop, [this] { serve_all(); }) {}

ConnectionPool::~ConnectionPool() {
  if (!options_.providers) return;
  for (const auto& [connection, member] : members_) options_.providers->give_back(groups_.at(member.key).provider);
}

bool ConnectionPool::submit(const PoolTarget& target, const std::shared_ptr<PoolClient>& client, Place place) {
  const GroupKey key = key_of(target);
  const auto [found, added] = groups_.try_emplace(key);
  Group& group = found->second;
  if (added) {
    group.target = target;
    if (options_.providers) group.provider = options_.providers->provider_of(target.mx_name);
  }
  if (group.waiting.size() >= kMaxWaitingJobsPerGroup) return false;
  group.waiting.insert(place == Place::First ? group.waiting.begin() : group.waiting.end(), client);
  serve(key);
  return true;
}

void ConnectionPool::drop_idle(const PoolTarget& target) {
  const auto found = groups_.find(key_of(target));
  if (found == groups_.end()) return;
  for (DeliveryConnection* connection : std::vector(found->second.idle)) dismiss(*connection);
}

void ConnectionPool::cut(const PoolClient& client, std::string_view detail) {
  const auto found = std::ranges::find_if(members_, [&](const auto& entry) { return entry.second.client == &client; });
  if (found != members_.end()) std::shared_ptr(found->second.connection)->cut(detail);
}

// Gives idle connections to the jobs that wait, and opens new ones for the rest. Whatever is called here may come back
// with another job or with the end of a connection, so the group is looked up anew in each turn.
void ConnectionPool::serve(const GroupKey& its_key) {
  const GroupKey key = its_key;  // the original may go with its group
  for (;;) {
    const auto found = groups_.find(key);
    if (found == groups_.end()) return;
    Group& group = found->second;
    drop_done(group);
    if (group.waiting.empty() && group.members == 0) {
      groups_.erase(found);
      return;
    }
    if (DeliveryConnection* connection = group.waiting.empty() ? nullptr : take_idle(group)) {
      const auto client = next_waiting(group);
      if (client) carry(*connection, client);
      if (!client) group.idle.push_back(connection);
      continue;
    }
    if (!wants_connection(group)) return;
    if (!has_room(group)) return;
    open(key, group);
  }
}

bool ConnectionPool::wants_connection(const Group& group) const {
  if (group.waiting.size() <= kJobsPerOpening * group.opening) return false;
  return group.members == 0 || loop_.now() >= group.no_growth_until;
}

// Without room, an idle connection elsewhere is asked to leave; when it has left, this group is served again.
bool ConnectionPool::has_room(const Group& group) {
  const auto host = per_host_.find(group.target.mx_name);
  if (host != per_host_.end() && host->second >= options_.max_connections_per_host) {
    make_room(group, Sharing::Host);
    return false;
  }
  if (members_.size() >= options_.max_connections) {
    make_room(group, Sharing::Everything);
    return false;
  }
  return take_share(group);
}

// The last thing to look at, since what is taken must be used. Nobody tells when another loop gives its share back.
bool ConnectionPool::take_share(const Group& group) {
  if (!options_.providers || options_.providers->take(group.provider)) return true;
  make_room(group, Sharing::Provider);
  if (!std::exchange(share_awaited_, true)) share_timer_.start(kShareRetry);
  return false;
}

void ConnectionPool::make_room(const Group& wanting, Sharing sharing) {
  if (leaving_ > 0) return;
  for (auto& [connection, member] : members_) {
    const Group& group = groups_.at(member.key);
    if (sharing == Sharing::Host && group.target.mx_name != wanting.target.mx_name) continue;
    if (sharing == Sharing::Provider && group.provider != wanting.provider) continue;
    if (std::ranges::find(group.idle, connection) == group.idle.end()) continue;
    member.leaving = true;
    ++leaving_;
    dismiss(*connection);
    return;
  }
}

void ConnectionPool::open(const GroupKey& key, Group& group) {
  DeliveryConnection::Options options = options_.connection;
  options.local_end = group.target.local_end;
  options.alternative = group.target.alternative;
  if (const auto& route = group.target.route) {
    options.implicit_tls = route->plan->tls_start == Route::TlsStart::Implicit;
    options.login = route->login;
  }
  auto connection = std::make_shared<DeliveryConnection>(loop_, tls_, static_cast<DeliveryConnection::Owner&>(*this),
                                                         group.target.mx_name, group.target.endpoint,
                                                         group.target.requirement, options);
  members_[connection.get()] = Member{connection, key};
  ++group.members;
  ++group.opening;
  ++per_host_[group.target.mx_name];
  connection->start();
}

std::shared_ptr<PoolClient> ConnectionPool::next_waiting(Group& group) {
  for (drop_done(group); !group.waiting.empty(); drop_done(group)) {
    auto client = group.waiting.front().lock();
    group.waiting.pop_front();
    if (client->confirm()) return client;
  }
  return nullptr;
}

// Leaves the queue empty or with a job in front that still waits.
void ConnectionPool::drop_done(Group& group) {
  while (!group.waiting.empty()) {
    const auto client = group.waiting.front().lock();
    if (client && client->waits()) return;
    group.waiting.pop_front();
  }
}

DeliveryConnection* ConnectionPool::take_idle(Group& group) {
  while (!group.idle.empty()) {
    DeliveryConnection* connection = group.idle.back();
    group.idle.pop_back();
    if (connection->usable()) return connection;
  }
  return nullptr;
}

void ConnectionPool::carry(DeliveryConnection& connection, const std::shared_ptr<PoolClient>& client) {
  members_.at(&connection).client = client.get();
  connection.carry(client);
}

void ConnectionPool::dismiss(DeliveryConnection& connection) {
  std::erase(groups_.at(members_.at(&connection).key).idle, &connection);
  if (connection.usable()) connection.quit();
}

void ConnectionPool::on_ready(DeliveryConnection& connection) {
  Member& member = members_.at(&connection);
  Group& group = groups_.at(member.key);
  member.client = nullptr;
  // The peer has ended TLS already, and on_gone() follows. If nothing was carried the opening has failed: without a
  // failure the jobs would wait for one such connection after the other.
  if (!connection.usable() && connection.transactions() == 0) return;
  if (std::exchange(member.opening, false)) --group.opening;
  const bool worn_out = connection.transactions() >= options_.max_messages_per_connection || connection.worn_out();
  if (worn_out && connection.usable()) return connection.quit();
  if (!connection.usable()) return;
  if (const auto client = next_waiting(group)) return carry(connection, client);
  group.idle.push_back(&connection);
}

void ConnectionPool::on_gone(DeliveryConnection& connection, const std::optional<SmtpFailure>& failure) {
  const Member member = members_.at(&connection);
  remove(connection);
  Group& group = groups_.at(member.key);
  const std::string mx_name = group.target.mx_name;
  const bool was_full = members_.size() + 1 >= options_.max_connections;
  if (member.opening && failure) {
    if (group.members > 0) {
      group.no_growth_until = loop_.now() + kGrowthPause;
    } else {
      ConnectionFacts facts = connection.facts();
      for (const auto& waiting : std::exchange(group.waiting, {})) {
        const auto client = waiting.lock();
        if (!client) continue;
        client->on_unreachable(*failure, facts);
        facts.tls_failure.reset();  // one session, one count
      }
    }
  }
  serve_others(member.key, mx_name);
  serve(member.key);
  if (was_full || share_awaited_) serve_all();
}

void ConnectionPool::serve_all() {
  share_awaited_ = false;
  std::vector<GroupKey> keys;
  for (const auto& [key, other] : groups_) {
    if (!other.waiting.empty()) keys.push_back(key);
  }
  for (const GroupKey& key : keys) serve(key);
}

void ConnectionPool::remove(DeliveryConnection& connection) {
  const auto found = members_.find(&connection);
  Group& group = groups_.at(found->second.key);
  std::erase(group.idle, &connection);
  --group.members;
  if (found->second.opening) --group.opening;
  if (found->second.leaving) --leaving_;
  const auto host = per_host_.find(group.target.mx_name);
  if (--host->second == 0) per_host_.erase(host);
  if (options_.providers) options_.providers->give_back(group.provider);
  members_.erase(found);
}

// Other requirements and addresses of the same MX name share its limit, and get their turn before the group that just
// had a connection. Those without any connection come first, beginning after that group, so that each gets its turn.
void ConnectionPool::serve_others(const GroupKey& its_key, const std::string& mx_name) {
  const std::string prefix = mx_name + '\n';
  std::vector<GroupKey> keys;
  for (auto at = groups_.lower_bound(prefix); at != groups_.end() && at->first.starts_with(prefix); ++at) {
    if (!at->second.waiting.empty() && at->first != its_key) keys.push_back(at->first);
  }
  std::ranges::rotate(keys, std::ranges::upper_bound(keys, its_key));
  std::ranges::stable_partition(keys, [this](const GroupKey& key) { return groups_.at(key).members == 0; });
  for (const GroupKey& key : keys) serve(key);
}

}  // namespace waxwing
