import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareModels, factsOf } from '../../scripts/conformance/published-model.js'

const published = `
  <!-- <EntityType Name="nothing"/> -->
  <EnumType Name="colour"><Member Name="red" Value="0" /><Member Name="blue" Value="1" /></EnumType>
  <EntityType Name="quince" BaseType="graph.entity" OpenType="true">
    <Property Name="weight" Type="Edm.Int32" Nullable="false" />
    <Property Name="colour" Type="graph.colour" />
    <NavigationProperty Name="trees" Type="Collection(graph.tree)" ContainsTarget="true" />
  </EntityType>
  <EntityType Name="tree"><Property Name="height" Type="Edm.Int32" /></EntityType>
  <Action Name="eat" IsBound="true">
    <Parameter Name="bindingParameter" Type="graph.quince" />
    <Parameter Name="With" Type="Edm.String" Unicode="false" />
    <ReturnType Type="graph.quince" />
  </Action>
  <EntityContainer Name="Garden"><EntitySet Name="trees" EntityType="microsoft.graph.tree" /></EntityContainer>`

/** The same, with one thing put in the place of another. */
function compared(from: string, to: string) {
  assert.ok(published.includes(from), from)
  return compareModels(factsOf(published.replace(from, to)), factsOf(published))
}

test('a model is compared with the published one in everything it says', () => {
  assert.deepEqual(compared('graph.entity', 'microsoft.graph.entity').faults, [])
  assert.equal(compared('graph.entity', 'microsoft.graph.entity').shared, 11)
  for (const [from, to, fault] of [
    ['Value="1"', 'Value="2"', 'EnumType colour/blue: '],
    [' OpenType="true"', '', 'EntityType quince: '],
    ['BaseType="graph.entity"', 'BaseType="graph.item"', 'EntityType quince: '],
    ['Type="Edm.Int32" Nullable="false"', 'Type="Edm.Int32"', 'EntityType quince/weight: '],
    ['Type="Edm.Int32" Nullable="false"', 'Type="Edm.Int64" Nullable="false"', 'EntityType quince/weight: '],
    ['"Collection(graph.tree)"', '"graph.tree"', 'EntityType quince/trees: '],
    ['Name="weight"', 'Name="mass"', 'EntityType quince/mass is not in '],
    [' Unicode="false"', '', 'Action quince/eat(With): '],
    ['Name="With"', 'Name="From"', 'Action quince/eat(From) is not in '],
    ['<ReturnType Type="graph.quince" />', '', 'Action quince/eat(With): '],
    ['EntityType="microsoft.graph.tree"', 'EntityType="microsoft.graph.quince"', 'EntitySet trees: '],
  ] as const) {
    const { faults } = compared(from, to)
    assert.equal(faults.length, 1, `${from} ${faults}`)
    assert.ok(faults[0]?.startsWith(fault), faults[0])
  }
})

test('what a model lacks is told once: a type without its members', () => {
  const { faults, lacks, shared } = compareModels(
    factsOf('<EntityType Name="quince" BaseType="graph.entity" OpenType="true"></EntityType>'),
    factsOf(published),
  )
  assert.deepEqual(faults, [])
  assert.equal(shared, 1)
  assert.deepEqual(lacks, [
    'EnumType colour',
    'EntityType quince/weight',
    'EntityType quince/colour',
    'EntityType quince/trees',
    'EntityType tree',
    'Action quince/eat(With)',
    'EntitySet trees',
  ])
})
