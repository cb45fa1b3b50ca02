// A pipeline of lodash, the kind of work that reports are made of.
(() => {
  const orders = _.times(6000, (i) => ({
    id: i, customer: 'c' + (i * 7) % 97, region: ['north', 'south', 'west'][i % 3], total: (i * 7919) % 1000, items: _.range(i % 4),
  }))
  const report = _(orders)
    .filter((order) => order.total > 100)
    .groupBy('customer')
    .mapValues((list) => ({ count: list.length, sum: _.sumBy(list, 'total'), regions: _.countBy(list, 'region') }))
    .toPairs()
    .sortBy([([, entry]) => -entry.sum, '0'])
    .take(20)
    .value()
  const copy = _.cloneDeep(report)
  return _.sum(copy.map(([, entry]) => entry.sum)) + _.flatMap(orders, 'items').length + (_.isEqual(copy, report) ? 1 : 0)
})()
