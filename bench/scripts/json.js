(() => {
  const list = Array.from({ length: 2000 }, (_, i) => ({ i, name: 'item ' + i, parts: [i, i / 2, null, i % 2 === 0] }))
  let length = 0
  for (let round = 0; round < 6; round++) length += JSON.stringify(JSON.parse(JSON.stringify(list))).length
  return length
})()
